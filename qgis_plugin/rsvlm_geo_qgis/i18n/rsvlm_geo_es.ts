<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="es" sourcelanguage="en">
 <context>
  <name>rsvlm_geo</name>
  <message>
   <source>Ask a scene</source>
   <translation>Preguntar a una escena</translation>
  </message>
  <message>
   <source>Drawing the layer for the engine; its provider's terms apply.</source>
   <translation>La capa se dibuja para el motor; valen las condiciones de su proveedor.</translation>
  </message>
  <message>
   <source>The scene is cut into tiles; each is shown to the model and its answer becomes a polygon. An answer is &lt;b&gt;answered&lt;/b&gt;, &lt;b&gt;refused&lt;/b&gt; (with the reason), &lt;b&gt;unreadable&lt;/b&gt;, &lt;b&gt;nodata&lt;/b&gt; or &lt;b&gt;failed&lt;/b&gt;; a total is only called complete when every tile with data was answered.</source>
   <translation>La escena se corta en teselas; cada una se muestra al modelo y su respuesta es un polígono. Una respuesta puede ser &lt;b&gt;respondida&lt;/b&gt;, &lt;b&gt;rehusada&lt;/b&gt; (con el motivo), &lt;b&gt;ilegible&lt;/b&gt;, &lt;b&gt;sin datos&lt;/b&gt; o &lt;b&gt;fallida&lt;/b&gt;; un total solo se llama completo si se respondió cada tesela con datos.</translation>
  </message>
  <message>
   <source>The work is done by the engine, a process of its own; set it up in Settings ▸ Options ▸ rsvlm_geo.</source>
   <translation>El trabajo lo hace el motor, un proceso aparte; instálelo en Configuración ▸ Opciones ▸ rsvlm_geo.</translation>
  </message>
  <message>
   <source>No engine is set up yet. Open Settings ▸ Options ▸ rsvlm_geo and press Set up.</source>
   <translation>Aún no hay motor. Abra Configuración ▸ Opciones ▸ rsvlm_geo y pulse Instalar.</translation>
  </message>
  <message>
   <source>The engine's Python is not there: {path}. Open Settings ▸ Options ▸ rsvlm_geo and choose another.</source>
   <translation>El Python del motor no está: {path}. Elija otro en Configuración ▸ Opciones ▸ rsvlm_geo.</translation>
  </message>
  <message>
   <source>Raster layer</source>
   <translation>Capa ráster</translation>
  </message>
  <message>
   <source>Extent to ask about</source>
   <translation>Extensión de la pregunta</translation>
  </message>
  <message>
   <source>Polygons to ask about</source>
   <translation>Polígonos de la pregunta</translation>
  </message>
  <message>
   <source>Model pack (name or folder; empty: the default)</source>
   <translation>Paquete de modelo (nombre o carpeta; vacío: el predeterminado)</translation>
  </message>
  <message>
   <source>Runs on</source>
   <translation>Se ejecuta en</translation>
  </message>
  <message>
   <source>Margin of a tile, metres (0: the model's own)</source>
   <translation>Margen de una tesela en metros (0: el del modelo)</translation>
  </message>
  <message>
   <source>Metres per pixel shown to the model (0: the model's own)</source>
   <translation>Metros por píxel mostrados al modelo (0: los del modelo)</translation>
  </message>
  <message>
   <source>Show the model what I see (the layer's own bands and stretch)</source>
   <translation>Mostrar al modelo lo que veo (bandas y realce de la capa)</translation>
  </message>
  <message>
   <source>When cancelled, keep what was done</source>
   <translation>Al cancelar, conservar lo hecho</translation>
  </message>
  <message>
   <source>Answers</source>
   <translation>Respuestas</translation>
  </message>
  <message>
   <source>Tiles</source>
   <translation>Teselas</translation>
  </message>
  <message>
   <source>Share of the area seen, 0 to 1</source>
   <translation>Parte del área vista, de 0 a 1</translation>
  </message>
  <message>
   <source>complete or incomplete</source>
   <translation>completo o incompleto</translation>
  </message>
  <message>
   <source>Summary</source>
   <translation>Resumen</translation>
  </message>
  <message>
   <source>Run</source>
   <translation>Ejecutar</translation>
  </message>
  <message>
   <source>Type a question, for example: is there a bridge?</source>
   <translation>Escriba una pregunta, por ejemplo: Is there a bridge?</translation>
  </message>
  <message>
   <source>Say what to look for, for example: car</source>
   <translation>Diga qué buscar, por ejemplo: car</translation>
  </message>
  <message>
   <source>There is no raster to ask; open one and choose it as the layer.</source>
   <translation>No hay ráster al que preguntar; abra uno y elíjalo como capa.</translation>
  </message>
  <message>
   <source>Cancelled.</source>
   <translation>Cancelado.</translation>
  </message>
  <message>
   <source>{share} % of the picture came back empty and counts as nodata.</source>
   <translation>El {share} % de la imagen volvió vacío y cuenta como sin datos.</translation>
  </message>
  <message>
   <source>What to look for (a class, or several separated by commas)</source>
   <translation>Qué buscar (una clase, o varias separadas por comas)</translation>
  </message>
  <message>
   <source>Question</source>
   <translation>Pregunta</translation>
  </message>
  <message>
   <source>Objects</source>
   <translation>Objetos</translation>
  </message>
  <message>
   <source>Total of the objects</source>
   <translation>Total de objetos</translation>
  </message>
  <message>
   <source>The layer of areas has no polygon in it; draw one, or leave it empty.</source>
   <translation>La capa de áreas no tiene ningún polígono; dibuje uno o déjela vacía.</translation>
  </message>
  <message>
   <source>{n} of {total} answers are {status}.</source>
   <translation>{n} de {total} respuestas: {status}.</translation>
  </message>
  <message>
   <source>Ask many scenes (STAC)</source>
   <translation>Preguntar a muchas escenas (STAC)</translation>
  </message>
  <message>
   <source>Many scenes</source>
   <translation>Muchas escenas</translation>
  </message>
  <message>
   <source>One question to every item of a STAC collection or folder, resumable.</source>
   <translation>Una pregunta a cada elemento de una colección STAC o carpeta, reanudable.</translation>
  </message>
  <message>
   <source>Items: a STAC ItemCollection (file or URL), an item, or a raster. Results lie in the folder as parts, one a scene; run it again to go on.</source>
   <translation>Elementos: una ItemCollection STAC (archivo o URL), un ítem o un ráster. Los resultados quedan en la carpeta, una parte por escena; ejecute otra vez para seguir.</translation>
  </message>
  <message>
   <source>STAC items: file or URL</source>
   <translation>Elementos STAC: archivo o URL</translation>
  </message>
  <message>
   <source>Task</source>
   <translation>Tarea</translation>
  </message>
  <message>
   <source>What to look for, or the question</source>
   <translation>Qué buscar, o la pregunta</translation>
  </message>
  <message>
   <source>Model pack</source>
   <translation>Paquete de modelo</translation>
  </message>
  <message>
   <source>Folder</source>
   <translation>Carpeta</translation>
  </message>
  <message>
   <source>Say what to look for, or type the question.</source>
   <translation>Diga qué buscar, o escriba la pregunta.</translation>
  </message>
  <message>
   <source>Cancelled; what was done is taken up again.</source>
   <translation>Cancelado; lo hecho se retomará.</translation>
  </message>
  <message>
   <source>The engine has no command “{name}”; update it in the options.</source>
   <translation>El motor no tiene la orden «{name}»; actualícelo en las opciones.</translation>
  </message>
  <message>
   <source>Results are GeoPackages; choose a file that ends in .gpkg instead of {path}.</source>
   <translation>Los resultados son GeoPackages; elija un archivo que termine en .gpkg en vez de {path}.</translation>
  </message>
  <message>
   <source>There is no folder {folder}; make it, or choose another.</source>
   <translation>No existe la carpeta {folder}; créela o elija otra.</translation>
  </message>
  <message>
   <source>The folder {folder} cannot be written; choose another.</source>
   <translation>No se puede escribir en la carpeta {folder}; elija otra.</translation>
  </message>
  <message>
   <source>Cancelled; no file was written.</source>
   <translation>Cancelado; no se escribió ningún archivo.</translation>
  </message>
  <message>
   <source>{tiles} tiles; {model} on {provider}.</source>
   <translation>{tiles} teselas; {model} en {provider}.</translation>
  </message>
  <message>
   <source>Tile {tile}: {message}</source>
   <translation>Tesela {tile}: {message}</translation>
  </message>
  <message>
   <source>Waiting for {n} other runs to end.</source>
   <translation>Esperando el final de otras {n} ejecuciones.</translation>
  </message>
  <message>
   <source>Describe a scene</source>
   <translation>Describir una escena</translation>
  </message>
  <message>
   <source>Caption, scene class and counts of what the model knows, for every tile.</source>
   <translation>Leyenda, clase de escena y recuentos de lo que el modelo conoce, por tesela.</translation>
  </message>
  <message>
   <source>Caption a scene</source>
   <translation>Poner leyenda a una escena</translation>
  </message>
  <message>
   <source>A sentence or two about each tile.</source>
   <translation>Una o dos frases sobre cada tesela.</translation>
  </message>
  <message>
   <source>Classify a scene</source>
   <translation>Clasificar una escena</translation>
  </message>
  <message>
   <source>One scene class per tile, from the classes the model knows.</source>
   <translation>Una clase de escena por tesela, de las que el modelo conoce.</translation>
  </message>
  <message>
   <source>Count objects</source>
   <translation>Contar objetos</translation>
  </message>
  <message>
   <source>The number of objects of a class per tile, and a total that says what it covers.</source>
   <translation>El número de objetos de una clase por tesela, y un total que dice qué abarca.</translation>
  </message>
  <message>
   <source>Locate objects</source>
   <translation>Localizar objetos</translation>
  </message>
  <message>
   <source>A polygon around each object of a class, merged across the seams of tiles.</source>
   <translation>Un polígono alrededor de cada objeto de una clase, unido a través de los bordes de las teselas.</translation>
  </message>
  <message>
   <source>Is it there?</source>
   <translation>¿Está ahí?</translation>
  </message>
  <message>
   <source>Yes, no, or an honest refusal, for every tile.</source>
   <translation>Sí, no, o una negativa honesta, por tesela.</translation>
  </message>
  <message>
   <source>Ask a scene a question</source>
   <translation>Hacer una pregunta a una escena</translation>
  </message>
  <message>
   <source>A question in your own words, answered for every tile.</source>
   <translation>Una pregunta con sus palabras, respondida para cada tesela.</translation>
  </message>
  <message>
   <source>Search tiles by text</source>
   <translation>Buscar teselas por texto</translation>
  </message>
  <message>
   <source>The tiles that look most like a sentence, best first.</source>
   <translation>Las teselas que más se parecen a una frase, la mejor primero.</translation>
  </message>
  <message>
   <source>Looks like</source>
   <translation>Se parece a</translation>
  </message>
  <message>
   <source>How many tiles</source>
   <translation>Cuántas teselas</translation>
  </message>
  <message>
   <source>Tiles found</source>
   <translation>Teselas halladas</translation>
  </message>
  <message>
   <source>Say what to look for, for example: a harbour with ships</source>
   <translation>Diga qué buscar, por ejemplo: a harbour with ships</translation>
  </message>
  <message>
   <source>Tile</source>
   <translation>Tesela</translation>
  </message>
  <message>
   <source>Answer</source>
   <translation>Respuesta</translation>
  </message>
  <message>
   <source>Sure</source>
   <translation>Seguro</translation>
  </message>
  <message>
   <source>Ask about this place…</source>
   <translation>Pregunte por este lugar…</translation>
  </message>
  <message>
   <source>Ask</source>
   <translation>Preguntar</translation>
  </message>
  <message>
   <source>There is no raster here to ask.</source>
   <translation>Aquí no hay ráster al que preguntar.</translation>
  </message>
  <message>
   <source>Open one, or click on one that is there.</source>
   <translation>Abra uno, o haga clic en uno que esté.</translation>
  </message>
  <message>
   <source>Asking…</source>
   <translation>Preguntando…</translation>
  </message>
  <message>
   <source>The answer could not be put on the map.</source>
   <translation>La respuesta no se pudo poner en el mapa.</translation>
  </message>
  <message>
   <source>Asked here</source>
   <translation>Preguntado aquí</translation>
  </message>
  <message>
   <source>Asked here: objects</source>
   <translation>Preguntado aquí: objetos</translation>
  </message>
  <message>
   <source>Save the project in a folder that can be written.</source>
   <translation>Guarde el proyecto en una carpeta en la que se pueda escribir.</translation>
  </message>
  <message>
   <source>What is here?</source>
   <translation>What is here?</translation>
  </message>
  <message>
   <source>How many cars are there?</source>
   <translation>How many cars are there?</translation>
  </message>
  <message>
   <source>Is there a building?</source>
   <translation>Is there a building?</translation>
  </message>
  <message>
   <source>Is there water?</source>
   <translation>Is there water?</translation>
  </message>
  <message>
   <source>Ask the map</source>
   <translation>Preguntar al mapa</translation>
  </message>
  <message>
   <source>A run is going.</source>
   <translation>Hay una ejecución en curso.</translation>
  </message>
  <message>
   <source>Cancel it, or wait until it ends.</source>
   <translation>Cancélela, o espere a que termine.</translation>
  </message>
  <message>
   <source>Cancelling…</source>
   <translation>Cancelando…</translation>
  </message>
  <message>
   <source>Done, but another project is open now; the answers are in {path}.</source>
   <translation>Hecho, pero ahora hay otro proyecto abierto; las respuestas están en {path}.</translation>
  </message>
  <message>
   <source>The results cannot be opened: {path}.</source>
   <translation>No se pueden abrir los resultados: {path}.</translation>
  </message>
  <message>
   <source>The file of this run is gone: {path}.</source>
   <translation>El archivo de esta ejecución ya no está: {path}.</translation>
  </message>
  <message>
   <source>Run it again.</source>
   <translation>Ejecútela otra vez.</translation>
  </message>
  <message>
   <source>Cancelled after {n} answers.</source>
   <translation>Cancelado tras {n} respuestas.</translation>
  </message>
  <message>
   <source>The visible area does not reach the layer; zoom to it.</source>
   <translation>El área visible no alcanza la capa; haga zoom a ella.</translation>
  </message>
  <message>
   <source>Select a polygon of a vector layer first.</source>
   <translation>Seleccione primero un polígono de una capa vectorial.</translation>
  </message>
  <message>
   <source>Draw an area on the map first.</source>
   <translation>Dibuje primero un área en el mapa.</translation>
  </message>
  <message>
   <source>Starting the engine…</source>
   <translation>Arrancando el motor…</translation>
  </message>
  <message>
   <source>No engine is set up yet.</source>
   <translation>Aún no hay motor.</translation>
  </message>
  <message>
   <source>The engine has no model pack; set one up in the options, then try again.</source>
   <translation>El motor no tiene paquete de modelo; instale uno en las opciones y pruebe de nuevo.</translation>
  </message>
  <message>
   <source>The layer is drawn for the engine first.</source>
   <translation>Primero se dibuja la capa para el motor.</translation>
  </message>
  <message>
   <source>Best device</source>
   <translation>Mejor dispositivo</translation>
  </message>
  <message>
   <source>CPU</source>
   <translation>CPU</translation>
  </message>
  <message>
   <source>Visible area</source>
   <translation>Área visible</translation>
  </message>
  <message>
   <source>Whole layer</source>
   <translation>Capa entera</translation>
  </message>
  <message>
   <source>Selected polygons</source>
   <translation>Polígonos elegidos</translation>
  </message>
  <message>
   <source>Drawn area</source>
   <translation>Área dibujada</translation>
  </message>
  <message>
   <source>Ask here: click the map, or drag a rectangle</source>
   <translation>Preguntar aquí: haga clic en el mapa o arrastre un rectángulo</translation>
  </message>
  <message>
   <source>Ask here</source>
   <translation>Preguntar aquí</translation>
  </message>
  <message>
   <source>Runs of this project</source>
   <translation>Ejecuciones de este proyecto</translation>
  </message>
  <message>
   <source>Runs</source>
   <translation>Ejecuciones</translation>
  </message>
  <message>
   <source>Print layout with map, legend, totals and coverage</source>
   <translation>Composición con mapa, leyenda, totales y cobertura</translation>
  </message>
  <message>
   <source>Report</source>
   <translation>Informe</translation>
  </message>
  <message>
   <source>Options: engine, test, set up</source>
   <translation>Opciones: motor, prueba, instalación</translation>
  </message>
  <message>
   <source>Open options…</source>
   <translation>Abrir opciones…</translation>
  </message>
  <message>
   <source>Layer</source>
   <translation>Capa</translation>
  </message>
  <message>
   <source>Draw: drag a rectangle, or click corners and right click</source>
   <translation>Dibujar: arrastre un rectángulo, o marque vértices y clic derecho</translation>
  </message>
  <message>
   <source>Area</source>
   <translation>Área</translation>
  </message>
  <message>
   <source>Model</source>
   <translation>Modelo</translation>
  </message>
  <message>
   <source>More</source>
   <translation>Más</translation>
  </message>
  <message>
   <source>the model's own</source>
   <translation>el del modelo</translation>
  </message>
  <message>
   <source>Margin of a tile</source>
   <translation>Margen de una tesela</translation>
  </message>
  <message>
   <source>Show the model what I see</source>
   <translation>Mostrar al modelo lo que veo</translation>
  </message>
  <message>
   <source>Use the layer's own bands and stretch instead of the scene's percentiles</source>
   <translation>Usar las bandas y el realce de la capa en vez de los percentiles de la escena</translation>
  </message>
  <message>
   <source>Cancel</source>
   <translation>Cancelar</translation>
  </message>
  <message>
   <source>runs on {device}</source>
   <translation>se ejecuta en {device}</translation>
  </message>
  <message>
   <source>, {n} tiles a second</source>
   <translation>, {n} teselas por segundo</translation>
  </message>
  <message>
   <source>A GPU was asked for, but the model runs on the CPU. Set up the engine with the GPU package, or choose “Best device”.</source>
   <translation>Se pidió una GPU, pero el modelo se ejecuta en la CPU. Instale el motor con el paquete para GPU, o elija «Mejor dispositivo».</translation>
  </message>
  <message>
   <source>{n} tiles</source>
   <translation>{n} teselas</translation>
  </message>
  <message>
   <source>{done} of {total} tiles</source>
   <translation>{done} de {total} teselas</translation>
  </message>
  <message>
   <source>What</source>
   <translation>Qué</translation>
  </message>
  <message>
   <source>Type a question…</source>
   <translation>Escriba una pregunta…</translation>
  </message>
  <message>
   <source>car, ship…</source>
   <translation>car, ship…</translation>
  </message>
  <message>
   <source>Will be refused: {why}</source>
   <translation>Se rehusará: {why}</translation>
  </message>
  <message>
   <source>Starting…</source>
   <translation>Empezando…</translation>
  </message>
  <message>
   <source>{n} a second</source>
   <translation>{n} por segundo</translation>
  </message>
  <message>
   <source>{time} left</source>
   <translation>quedan {time}</translation>
  </message>
  <message>
   <source>about {time}</source>
   <translation>unos {time}</translation>
  </message>
  <message>
   <source>No runs in this project yet</source>
   <translation>Aún no hay ejecuciones en este proyecto</translation>
  </message>
  <message>
   <source>Filter answers…</source>
   <translation>Filtrar respuestas…</translation>
  </message>
  <message>
   <source>Show or hide these rows</source>
   <translation>Mostrar u ocultar estas filas</translation>
  </message>
  <message>
   <source>There is no raster to ask; open one first.</source>
   <translation>No hay ráster al que preguntar; abra uno primero.</translation>
  </message>
  <message>
   <source>Describe</source>
   <translation>Describir</translation>
  </message>
  <message>
   <source>Caption</source>
   <translation>Leyenda</translation>
  </message>
  <message>
   <source>Classify</source>
   <translation>Clasificar</translation>
  </message>
  <message>
   <source>Count</source>
   <translation>Contar</translation>
  </message>
  <message>
   <source>Locate</source>
   <translation>Localizar</translation>
  </message>
  <message>
   <source>{n} h</source>
   <translation>{n} h</translation>
  </message>
  <message>
   <source>{tiles} tiles in {seconds} s</source>
   <translation>{tiles} teselas en {seconds} s</translation>
  </message>
  <message>
   <source>under 1 s</source>
   <translation>menos de 1 s</translation>
  </message>
  <message>
   <source>{n} s</source>
   <translation>{n} s</translation>
  </message>
  <message>
   <source>{n} min</source>
   <translation>{n} min</translation>
  </message>
  <message>
   <source>{share} % seen</source>
   <translation>{share} % visto</translation>
  </message>
  <message>
   <source>possible {label}</source>
   <translation>{label} posible</translation>
  </message>
  <message>
   <source>{share} % refused</source>
   <translation>{share} % rehusado</translation>
  </message>
  <message>
   <source>{share} % no data</source>
   <translation>{share} % sin datos</translation>
  </message>
  <message>
   <source>{share} % failed</source>
   <translation>{share} % fallido</translation>
  </message>
  <message>
   <source>{share} % not reached</source>
   <translation>{share} % no alcanzado</translation>
  </message>
  <message>
   <source>{label}: not counted</source>
   <translation>{label}: no contado</translation>
  </message>
  <message>
   <source>{n} × {label}</source>
   <translation>{n} × {label}</translation>
  </message>
  <message>
   <source>{n} × {label} where it could be told</source>
   <translation>{n} × {label} donde se pudo decir</translation>
  </message>
  <message>
   <source>refused</source>
   <translation>rehusado</translation>
  </message>
  <message>
   <source>An HTML picture of the part of its scene that a feature of rsvlm_geo lies on.</source>
   <translation>Una imagen HTML de la parte de la escena donde está un objeto de rsvlm_geo.</translation>
  </message>
  <message>
   <source>Devices: {names}</source>
   <translation>Dispositivos: {names}</translation>
  </message>
  <message>
   <source>Speed: {n} tiles a second on {device}</source>
   <translation>Velocidad: {n} teselas por segundo en {device}</translation>
  </message>
  <message>
   <source>Engine</source>
   <translation>Motor</translation>
  </message>
  <message>
   <source>The engine is a program of its own, in a Python of its own; QGIS's Python is never changed. Name the Python that has rsvlm_geo, or leave it empty to find one.</source>
   <translation>El motor es un programa aparte, en un Python propio; el de QGIS nunca se cambia. Indique el Python que tiene rsvlm_geo, o déjelo vacío para encontrar uno.</translation>
  </message>
  <message>
   <source>Python of the engine</source>
   <translation>Python del motor</translation>
  </message>
  <message>
   <source>all</source>
   <translation>todos</translation>
  </message>
  <message>
   <source>Threads</source>
   <translation>Hilos</translation>
  </message>
  <message>
   <source>Test</source>
   <translation>Probar</translation>
  </message>
  <message>
   <source>Press Test to see versions, devices, models and speed.</source>
   <translation>Pulse Probar para ver versiones, dispositivos, modelos y velocidad.</translation>
  </message>
  <message>
   <source>Set up an engine</source>
   <translation>Instalar un motor</translation>
  </message>
  <message>
   <source>Made with</source>
   <translation>Hecho con</translation>
  </message>
  <message>
   <source>Package, or a wheel's path</source>
   <translation>Paquete, o ruta de un wheel</translation>
  </message>
  <message>
   <source>Installed by</source>
   <translation>Instalado por</translation>
  </message>
  <message>
   <source>the usual one</source>
   <translation>el habitual</translation>
  </message>
  <message>
   <source>Package index</source>
   <translation>Índice de paquetes</translation>
  </message>
  <message>
   <source>none, for example http://proxy:8080</source>
   <translation>ninguno, por ejemplo http://proxy:8080</translation>
  </message>
  <message>
   <source>Proxy</source>
   <translation>Proxy</translation>
  </message>
  <message>
   <source>for a machine without network</source>
   <translation>para una máquina sin red</translation>
  </message>
  <message>
   <source>Folder of wheels</source>
   <translation>Carpeta de wheels</translation>
  </message>
  <message>
   <source>Copy</source>
   <translation>Copiar</translation>
  </message>
  <message>
   <source>Set up</source>
   <translation>Instalar</translation>
  </message>
  <message>
   <source>Starting {python}…</source>
   <translation>Arrancando {python}…</translation>
  </message>
  <message>
   <source>The engine is set up.</source>
   <translation>El motor está instalado.</translation>
  </message>
  <message>
   <source>Model: {name} {version}</source>
   <translation>Modelo: {name} {version}</translation>
  </message>
  <message>
   <source>none found</source>
   <translation>no se halló ninguno</translation>
  </message>
  <message>
   <source>These commands are run, and no others:</source>
   <translation>Se ejecutan estas órdenes, y ninguna otra:</translation>
  </message>
  <message>
   <source>none</source>
   <translation>ninguno</translation>
  </message>
  <message>
   <source>There is no file {path}; choose the engine's Python.</source>
   <translation>No existe el archivo {path}; elija el Python del motor.</translation>
  </message>
  <message>
   <source>Ask the map: describe, count, locate, ask</source>
   <translation>Preguntar al mapa: describir, contar, localizar, preguntar</translation>
  </message>
  <message>
   <source>rsvlm_geo: ask an image of the Earth</source>
   <translation>rsvlm_geo: preguntar a una imagen de la Tierra</translation>
  </message>
  <message>
   <source>Totals</source>
   <translation>Totales</translation>
  </message>
  <message>
   <source>Answers by status</source>
   <translation>Respuestas por estado</translation>
  </message>
  <message>
   <source>A total speaks only for the tiles that were answered; hatched tiles could not be told.</source>
   <translation>Un total solo habla de las teselas respondidas; en las rayadas no se pudo decir.</translation>
  </message>
  <message>
   <source>Scene: {name}</source>
   <translation>Escena: {name}</translation>
  </message>
  <message>
   <source>Model: {name}</source>
   <translation>Modelo: {name}</translation>
  </message>
  <message>
   <source>Run {run}, {when}</source>
   <translation>Ejecución {run}, {when}</translation>
  </message>
  <message>
   <source>no folder can be written: {folders}</source>
   <translation>no se puede escribir en ninguna carpeta: {folders}</translation>
  </message>
  <message>
   <source>Scene</source>
   <translation>Escena</translation>
  </message>
  <message>
   <source>Status</source>
   <translation>Estado</translation>
  </message>
  <message>
   <source>Value</source>
   <translation>Valor</translation>
  </message>
  <message>
   <source>Unit</source>
   <translation>Unidad</translation>
  </message>
  <message>
   <source>Confidence</source>
   <translation>Confianza</translation>
  </message>
  <message>
   <source>Why refused</source>
   <translation>Motivo de la negativa</translation>
  </message>
  <message>
   <source>Objects in the tile</source>
   <translation>Objetos en la tesela</translation>
  </message>
  <message>
   <source>Ground sampling distance, m</source>
   <translation>Resolución del terreno, m</translation>
  </message>
  <message>
   <source>Share of valid pixels</source>
   <translation>Parte de píxeles válidos</translation>
  </message>
  <message>
   <source>Time, ms</source>
   <translation>Tiempo, ms</translation>
  </message>
  <message>
   <source>Acquired</source>
   <translation>Adquirido</translation>
  </message>
  <message>
   <source>Object</source>
   <translation>Objeto</translation>
  </message>
  <message>
   <source>Class</source>
   <translation>Clase</translation>
  </message>
  <message>
   <source>Score</source>
   <translation>Puntuación</translation>
  </message>
  <message>
   <source>Area, m²</source>
   <translation>Área, m²</translation>
  </message>
  <message>
   <source>cannot be told</source>
   <translation>no se puede decir</translation>
  </message>
  <message>
   <source>no confidence given</source>
   <translation>sin confianza indicada</translation>
  </message>
  <message>
   <source>confidence</source>
   <translation>confianza</translation>
  </message>
  <message>
   <source>Answers of a model, tile by tile; each says whether to believe it.</source>
   <translation>Respuestas de un modelo, tesela a tesela; cada una dice si creerla.</translation>
  </message>
  <message>
   <source>The plugin's algorithms are not there; restart QGIS.</source>
   <translation>Faltan los algoritmos del complemento; reinicie QGIS.</translation>
  </message>
  <message>
   <source>No file was written; the finished tiles are taken up again.</source>
   <translation>No se escribió ningún archivo; las teselas hechas se retomarán.</translation>
  </message>
  <message>
   <source>The run failed; see the log panel.</source>
   <translation>La ejecución falló; vea el panel de registro.</translation>
  </message>
  <message>
   <source>Open Settings ▸ Options ▸ rsvlm_geo and press Test or Set up.</source>
   <translation>Abra Configuración ▸ Opciones ▸ rsvlm_geo y pulse Probar o Instalar.</translation>
  </message>
  <message>
   <source>Choose another output file, or free the disk; close the file if another program has it.</source>
   <translation>Elija otro archivo de salida o libere el disco; cierre el archivo si otro programa lo tiene.</translation>
  </message>
  <message>
   <source>Set its CRS: right click the layer ▸ Layer CRS ▸ Set Layer CRS.</source>
   <translation>Ponga su SRC: clic derecho en la capa ▸ SRC de la capa ▸ Establecer SRC.</translation>
  </message>
  <message>
   <source>The file was moved or removed; repair the layer's data source.</source>
   <translation>El archivo se movió o borró; repare la fuente de datos de la capa.</translation>
  </message>
  <message>
   <source>Please report this, with the text of the log panel.</source>
   <translation>Informe de esto, con el texto del panel de registro.</translation>
  </message>
  <message>
   <source>no engine is set up yet</source>
   <translation>aún no hay motor</translation>
  </message>
  <message>
   <source>The engine does not fit this plugin: {detail}.</source>
   <translation>El motor no encaja con este complemento: {detail}.</translation>
  </message>
  <message>
   <source>Update it: Settings ▸ Options ▸ rsvlm_geo ▸ Set up.</source>
   <translation>Actualícelo: Configuración ▸ Opciones ▸ rsvlm_geo ▸ Instalar.</translation>
  </message>
  <message>
   <source>The engine does not start: {detail}.</source>
   <translation>El motor no arranca: {detail}.</translation>
  </message>
  <message>
   <source>The engine stopped in the middle: {detail}.</source>
   <translation>El motor se paró a la mitad: {detail}.</translation>
  </message>
  <message>
   <source>Nothing was written. Run it again; the log panel has the engine's last words.</source>
   <translation>No se escribió nada. Ejecute otra vez; el panel de registro tiene las últimas palabras del motor.</translation>
  </message>
  <message>
   <source>This Python has no rsvlm_geo in it: {path}.</source>
   <translation>Este Python no tiene rsvlm_geo: {path}.</translation>
  </message>
  <message>
   <source>The layer “{name}” cannot be read; repair its data source.</source>
   <translation>No se puede leer la capa «{name}»; repare su fuente de datos.</translation>
  </message>
  <message>
   <source>The layer “{name}” has no CRS, so answers have no place on the map; set it with right click ▸ Layer CRS ▸ Set Layer CRS.</source>
   <translation>La capa «{name}» no tiene SRC, así que las respuestas no tienen lugar en el mapa; póngalo con clic derecho ▸ SRC de la capa ▸ Establecer SRC.</translation>
  </message>
  <message>
   <source>The file of “{name}” is gone: {path}; repair its data source.</source>
   <translation>El archivo de «{name}» ya no está: {path}; repare su fuente de datos.</translation>
  </message>
  <message>
   <source>The area is {width} × {height} pixels at {gsd} m; choose a smaller area or a larger ground sampling distance.</source>
   <translation>El área mide {width} × {height} píxeles a {gsd} m; elija un área menor o una resolución más gruesa.</translation>
  </message>
  <message>
   <source>Cannot write {path}; free the disk or its folder.</source>
   <translation>No se puede escribir {path}; libere el disco o su carpeta.</translation>
  </message>
  <message>
   <source>The layer “{name}” gave no picture of this area; check its connection and its scale limits.</source>
   <translation>La capa «{name}» no dio imagen de esta área; revise su conexión y sus límites de escala.</translation>
  </message>
  <message>
   <source>answered</source>
   <translation>respondido</translation>
  </message>
  <message>
   <source>unreadable</source>
   <translation>ilegible</translation>
  </message>
  <message>
   <source>no data</source>
   <translation>sin datos</translation>
  </message>
  <message>
   <source>failed</source>
   <translation>fallido</translation>
  </message>
  <message>
   <source>not visible</source>
   <translation>no se ve</translation>
  </message>
  <message>
   <source>no colour in the image</source>
   <translation>la imagen no tiene color</translation>
  </message>
  <message>
   <source>too coarse to tell</source>
   <translation>demasiado grueso para decirlo</translation>
  </message>
  <message>
   <source>wrong kind of sensor</source>
   <translation>otro tipo de sensor</translation>
  </message>
  <message>
   <source>not sure enough</source>
   <translation>no lo bastante seguro</translation>
  </message>
  <message>
   <source>outside what the model knows</source>
   <translation>fuera de lo que el modelo conoce</translation>
  </message>
 </context>
</TS>
