<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="pt" sourcelanguage="en">
 <context>
  <name>rsvlm_geo</name>
  <message>
   <source>Ask a scene</source>
   <translation>Perguntar a uma cena</translation>
  </message>
  <message>
   <source>Drawing the layer for the engine; its provider's terms apply.</source>
   <translation>A camada é desenhada para o motor; valem as condições do fornecedor.</translation>
  </message>
  <message>
   <source>The scene is cut into tiles; each is shown to the model and its answer becomes a polygon. An answer is &lt;b&gt;answered&lt;/b&gt;, &lt;b&gt;refused&lt;/b&gt; (with the reason), &lt;b&gt;unreadable&lt;/b&gt;, &lt;b&gt;nodata&lt;/b&gt; or &lt;b&gt;failed&lt;/b&gt;; a total is only called complete when every tile with data was answered.</source>
   <translation>A cena é cortada em blocos; cada um é mostrado ao modelo e a sua resposta torna-se um polígono. Uma resposta pode ser &lt;b&gt;respondida&lt;/b&gt;, &lt;b&gt;recusada&lt;/b&gt; (com o motivo), &lt;b&gt;ilegível&lt;/b&gt;, &lt;b&gt;sem dados&lt;/b&gt; ou &lt;b&gt;falhada&lt;/b&gt;; um total só é chamado completo quando cada bloco com dados foi respondido.</translation>
  </message>
  <message>
   <source>The work is done by the engine, a process of its own; set it up in Settings ▸ Options ▸ rsvlm_geo.</source>
   <translation>O trabalho é feito pelo motor, um processo à parte; instale-o em Configurações ▸ Opções ▸ rsvlm_geo.</translation>
  </message>
  <message>
   <source>No engine is set up yet. Open Settings ▸ Options ▸ rsvlm_geo and press Set up.</source>
   <translation>Ainda não há motor. Abra Configurações ▸ Opções ▸ rsvlm_geo e prima Instalar.</translation>
  </message>
  <message>
   <source>The engine's Python is not there: {path}. Open Settings ▸ Options ▸ rsvlm_geo and choose another.</source>
   <translation>O Python do motor não está lá: {path}. Escolha outro em Configurações ▸ Opções ▸ rsvlm_geo.</translation>
  </message>
  <message>
   <source>Raster layer</source>
   <translation>Camada raster</translation>
  </message>
  <message>
   <source>Extent to ask about</source>
   <translation>Extensão da pergunta</translation>
  </message>
  <message>
   <source>Polygons to ask about</source>
   <translation>Polígonos da pergunta</translation>
  </message>
  <message>
   <source>Model pack (name or folder; empty: the default)</source>
   <translation>Pacote de modelo (nome ou pasta; vazio: o predefinido)</translation>
  </message>
  <message>
   <source>Runs on</source>
   <translation>Executa em</translation>
  </message>
  <message>
   <source>Margin of a tile, metres (0: the model's own)</source>
   <translation>Margem de um bloco em metros (0: a do modelo)</translation>
  </message>
  <message>
   <source>Metres per pixel shown to the model (0: the model's own)</source>
   <translation>Metros por píxel mostrados ao modelo (0: os do modelo)</translation>
  </message>
  <message>
   <source>Show the model what I see (the layer's own bands and stretch)</source>
   <translation>Mostrar ao modelo o que vejo (bandas e realce da camada)</translation>
  </message>
  <message>
   <source>When cancelled, keep what was done</source>
   <translation>Ao cancelar, guardar o que foi feito</translation>
  </message>
  <message>
   <source>Answers</source>
   <translation>Respostas</translation>
  </message>
  <message>
   <source>Tiles</source>
   <translation>Blocos</translation>
  </message>
  <message>
   <source>Share of the area seen, 0 to 1</source>
   <translation>Parte da área vista, de 0 a 1</translation>
  </message>
  <message>
   <source>complete or incomplete</source>
   <translation>completo ou incompleto</translation>
  </message>
  <message>
   <source>Summary</source>
   <translation>Resumo</translation>
  </message>
  <message>
   <source>Run</source>
   <translation>Executar</translation>
  </message>
  <message>
   <source>Type a question, for example: is there a bridge?</source>
   <translation>Escreva uma pergunta, por exemplo: Is there a bridge?</translation>
  </message>
  <message>
   <source>Say what to look for, for example: car</source>
   <translation>Diga o que procurar, por exemplo: car</translation>
  </message>
  <message>
   <source>There is no raster to ask; open one and choose it as the layer.</source>
   <translation>Não há raster a quem perguntar; abra um e escolha-o como camada.</translation>
  </message>
  <message>
   <source>Cancelled.</source>
   <translation>Cancelado.</translation>
  </message>
  <message>
   <source>{share} % of the picture came back empty and counts as nodata.</source>
   <translation>{share} % da imagem voltou vazia e conta como sem dados.</translation>
  </message>
  <message>
   <source>What to look for (a class, or several separated by commas)</source>
   <translation>O que procurar (uma classe, ou várias separadas por vírgulas)</translation>
  </message>
  <message>
   <source>Question</source>
   <translation>Pergunta</translation>
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
   <translation>A camada de áreas não tem polígonos; desenhe um ou deixe vazio.</translation>
  </message>
  <message>
   <source>{n} of {total} answers are {status}.</source>
   <translation>{n} de {total} respostas: {status}.</translation>
  </message>
  <message>
   <source>Ask many scenes (STAC)</source>
   <translation>Perguntar a muitas cenas (STAC)</translation>
  </message>
  <message>
   <source>Many scenes</source>
   <translation>Muitas cenas</translation>
  </message>
  <message>
   <source>One question to every item of a STAC collection or folder, resumable.</source>
   <translation>Uma pergunta a cada item de uma coleção STAC ou pasta, retomável.</translation>
  </message>
  <message>
   <source>Items: a STAC ItemCollection (file or URL), an item, or a raster. Results lie in the folder as parts, one a scene; run it again to go on.</source>
   <translation>Itens: uma ItemCollection STAC (ficheiro ou URL), um item ou um raster. Os resultados ficam na pasta, uma parte por cena; execute de novo para continuar.</translation>
  </message>
  <message>
   <source>STAC items: file or URL</source>
   <translation>Itens STAC: ficheiro ou URL</translation>
  </message>
  <message>
   <source>Task</source>
   <translation>Tarefa</translation>
  </message>
  <message>
   <source>What to look for, or the question</source>
   <translation>O que procurar, ou a pergunta</translation>
  </message>
  <message>
   <source>Model pack</source>
   <translation>Pacote de modelo</translation>
  </message>
  <message>
   <source>Folder</source>
   <translation>Pasta</translation>
  </message>
  <message>
   <source>Say what to look for, or type the question.</source>
   <translation>Diga o que procurar, ou escreva a pergunta.</translation>
  </message>
  <message>
   <source>Cancelled; what was done is taken up again.</source>
   <translation>Cancelado; o que foi feito será retomado.</translation>
  </message>
  <message>
   <source>The engine has no command “{name}”; update it in the options.</source>
   <translation>O motor não tem o comando “{name}”; atualize-o nas opções.</translation>
  </message>
  <message>
   <source>Results are GeoPackages; choose a file that ends in .gpkg instead of {path}.</source>
   <translation>Os resultados são GeoPackages; escolha um ficheiro que termine em .gpkg em vez de {path}.</translation>
  </message>
  <message>
   <source>There is no folder {folder}; make it, or choose another.</source>
   <translation>A pasta {folder} não existe; crie-a ou escolha outra.</translation>
  </message>
  <message>
   <source>The folder {folder} cannot be written; choose another.</source>
   <translation>Não é possível escrever na pasta {folder}; escolha outra.</translation>
  </message>
  <message>
   <source>Cancelled; no file was written.</source>
   <translation>Cancelado; nenhum ficheiro foi escrito.</translation>
  </message>
  <message>
   <source>{tiles} tiles; {model} on {provider}.</source>
   <translation>{tiles} blocos; {model} em {provider}.</translation>
  </message>
  <message>
   <source>Tile {tile}: {message}</source>
   <translation>Bloco {tile}: {message}</translation>
  </message>
  <message>
   <source>Waiting for {n} other runs to end.</source>
   <translation>À espera do fim de {n} outras execuções.</translation>
  </message>
  <message>
   <source>Describe a scene</source>
   <translation>Descrever uma cena</translation>
  </message>
  <message>
   <source>Caption, scene class and counts of what the model knows, for every tile.</source>
   <translation>Legenda, classe de cena e contagens do que o modelo conhece, por bloco.</translation>
  </message>
  <message>
   <source>Caption a scene</source>
   <translation>Legendar uma cena</translation>
  </message>
  <message>
   <source>A sentence or two about each tile.</source>
   <translation>Uma ou duas frases sobre cada bloco.</translation>
  </message>
  <message>
   <source>Classify a scene</source>
   <translation>Classificar uma cena</translation>
  </message>
  <message>
   <source>One scene class per tile, from the classes the model knows.</source>
   <translation>Uma classe de cena por bloco, das que o modelo conhece.</translation>
  </message>
  <message>
   <source>Count objects</source>
   <translation>Contar objetos</translation>
  </message>
  <message>
   <source>The number of objects of a class per tile, and a total that says what it covers.</source>
   <translation>O número de objetos de uma classe por bloco, e um total que diz o que abrange.</translation>
  </message>
  <message>
   <source>Locate objects</source>
   <translation>Localizar objetos</translation>
  </message>
  <message>
   <source>A polygon around each object of a class, merged across the seams of tiles.</source>
   <translation>Um polígono à volta de cada objeto de uma classe, unido através das bordas dos blocos.</translation>
  </message>
  <message>
   <source>Is it there?</source>
   <translation>Está lá?</translation>
  </message>
  <message>
   <source>Yes, no, or an honest refusal, for every tile.</source>
   <translation>Sim, não, ou uma recusa honesta, por bloco.</translation>
  </message>
  <message>
   <source>Ask a scene a question</source>
   <translation>Fazer uma pergunta a uma cena</translation>
  </message>
  <message>
   <source>A question in your own words, answered for every tile.</source>
   <translation>Uma pergunta com as suas palavras, respondida para cada bloco.</translation>
  </message>
  <message>
   <source>Search tiles by text</source>
   <translation>Procurar blocos por texto</translation>
  </message>
  <message>
   <source>The tiles that look most like a sentence, best first.</source>
   <translation>Os blocos que mais se parecem com uma frase, o melhor primeiro.</translation>
  </message>
  <message>
   <source>Looks like</source>
   <translation>Parece-se com</translation>
  </message>
  <message>
   <source>How many tiles</source>
   <translation>Quantos blocos</translation>
  </message>
  <message>
   <source>Tiles found</source>
   <translation>Blocos encontrados</translation>
  </message>
  <message>
   <source>Say what to look for, for example: a harbour with ships</source>
   <translation>Diga o que procurar, por exemplo: a harbour with ships</translation>
  </message>
  <message>
   <source>Tile</source>
   <translation>Bloco</translation>
  </message>
  <message>
   <source>Answer</source>
   <translation>Resposta</translation>
  </message>
  <message>
   <source>Sure</source>
   <translation>Certeza</translation>
  </message>
  <message>
   <source>Ask about this place…</source>
   <translation>Pergunte sobre este lugar…</translation>
  </message>
  <message>
   <source>Ask</source>
   <translation>Perguntar</translation>
  </message>
  <message>
   <source>There is no raster here to ask.</source>
   <translation>Aqui não há raster a quem perguntar.</translation>
  </message>
  <message>
   <source>Open one, or click on one that is there.</source>
   <translation>Abra um, ou clique num que lá esteja.</translation>
  </message>
  <message>
   <source>Asking…</source>
   <translation>A perguntar…</translation>
  </message>
  <message>
   <source>The answer could not be put on the map.</source>
   <translation>A resposta não pôde ser posta no mapa.</translation>
  </message>
  <message>
   <source>Asked here</source>
   <translation>Perguntado aqui</translation>
  </message>
  <message>
   <source>Asked here: objects</source>
   <translation>Perguntado aqui: objetos</translation>
  </message>
  <message>
   <source>Save the project in a folder that can be written.</source>
   <translation>Guarde o projeto numa pasta onde se possa escrever.</translation>
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
   <translation>Perguntar ao mapa</translation>
  </message>
  <message>
   <source>A run is going.</source>
   <translation>Há uma execução em curso.</translation>
  </message>
  <message>
   <source>Cancel it, or wait until it ends.</source>
   <translation>Cancele-a, ou espere que termine.</translation>
  </message>
  <message>
   <source>Cancelling…</source>
   <translation>A cancelar…</translation>
  </message>
  <message>
   <source>Done, but another project is open now; the answers are in {path}.</source>
   <translation>Feito, mas agora está aberto outro projeto; as respostas estão em {path}.</translation>
  </message>
  <message>
   <source>The results cannot be opened: {path}.</source>
   <translation>Não é possível abrir os resultados: {path}.</translation>
  </message>
  <message>
   <source>The file of this run is gone: {path}.</source>
   <translation>O ficheiro desta execução desapareceu: {path}.</translation>
  </message>
  <message>
   <source>Run it again.</source>
   <translation>Execute-a de novo.</translation>
  </message>
  <message>
   <source>Cancelled after {n} answers.</source>
   <translation>Cancelado após {n} respostas.</translation>
  </message>
  <message>
   <source>The visible area does not reach the layer; zoom to it.</source>
   <translation>A área visível não alcança a camada; aproxime-se dela.</translation>
  </message>
  <message>
   <source>Select a polygon of a vector layer first.</source>
   <translation>Selecione primeiro um polígono de uma camada vetorial.</translation>
  </message>
  <message>
   <source>Draw an area on the map first.</source>
   <translation>Desenhe primeiro uma área no mapa.</translation>
  </message>
  <message>
   <source>Starting the engine…</source>
   <translation>A iniciar o motor…</translation>
  </message>
  <message>
   <source>No engine is set up yet.</source>
   <translation>Ainda não há motor.</translation>
  </message>
  <message>
   <source>The engine has no model pack; set one up in the options, then try again.</source>
   <translation>O motor não tem pacote de modelo; instale um nas opções e tente de novo.</translation>
  </message>
  <message>
   <source>The layer is drawn for the engine first.</source>
   <translation>A camada é primeiro desenhada para o motor.</translation>
  </message>
  <message>
   <source>Best device</source>
   <translation>Melhor dispositivo</translation>
  </message>
  <message>
   <source>CPU</source>
   <translation>CPU</translation>
  </message>
  <message>
   <source>Visible area</source>
   <translation>Área visível</translation>
  </message>
  <message>
   <source>Whole layer</source>
   <translation>Camada inteira</translation>
  </message>
  <message>
   <source>Selected polygons</source>
   <translation>Polígonos escolhidos</translation>
  </message>
  <message>
   <source>Drawn area</source>
   <translation>Área desenhada</translation>
  </message>
  <message>
   <source>Ask here: click the map, or drag a rectangle</source>
   <translation>Perguntar aqui: clique no mapa ou arraste um retângulo</translation>
  </message>
  <message>
   <source>Ask here</source>
   <translation>Perguntar aqui</translation>
  </message>
  <message>
   <source>Runs of this project</source>
   <translation>Execuções deste projeto</translation>
  </message>
  <message>
   <source>Runs</source>
   <translation>Execuções</translation>
  </message>
  <message>
   <source>Print layout with map, legend, totals and coverage</source>
   <translation>Composição com mapa, legenda, totais e cobertura</translation>
  </message>
  <message>
   <source>Report</source>
   <translation>Relatório</translation>
  </message>
  <message>
   <source>Options: engine, test, set up</source>
   <translation>Opções: motor, teste, instalação</translation>
  </message>
  <message>
   <source>Open options…</source>
   <translation>Abrir opções…</translation>
  </message>
  <message>
   <source>Layer</source>
   <translation>Camada</translation>
  </message>
  <message>
   <source>Draw: drag a rectangle, or click corners and right click</source>
   <translation>Desenhar: arraste um retângulo, ou marque vértices e clique direito</translation>
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
   <translation>Mais</translation>
  </message>
  <message>
   <source>the model's own</source>
   <translation>a do modelo</translation>
  </message>
  <message>
   <source>Margin of a tile</source>
   <translation>Margem de um bloco</translation>
  </message>
  <message>
   <source>Show the model what I see</source>
   <translation>Mostrar ao modelo o que vejo</translation>
  </message>
  <message>
   <source>Use the layer's own bands and stretch instead of the scene's percentiles</source>
   <translation>Usar as bandas e o realce da camada em vez dos percentis da cena</translation>
  </message>
  <message>
   <source>Cancel</source>
   <translation>Cancelar</translation>
  </message>
  <message>
   <source>runs on {device}</source>
   <translation>executa em {device}</translation>
  </message>
  <message>
   <source>, {n} tiles a second</source>
   <translation>, {n} blocos por segundo</translation>
  </message>
  <message>
   <source>A GPU was asked for, but the model runs on the CPU. Set up the engine with the GPU package, or choose “Best device”.</source>
   <translation>Foi pedida uma GPU, mas o modelo executa na CPU. Instale o motor com o pacote para GPU, ou escolha “Melhor dispositivo”.</translation>
  </message>
  <message>
   <source>{n} tiles</source>
   <translation>{n} blocos</translation>
  </message>
  <message>
   <source>{done} of {total} tiles</source>
   <translation>{done} de {total} blocos</translation>
  </message>
  <message>
   <source>What</source>
   <translation>O quê</translation>
  </message>
  <message>
   <source>Type a question…</source>
   <translation>Escreva uma pergunta…</translation>
  </message>
  <message>
   <source>car, ship…</source>
   <translation>car, ship…</translation>
  </message>
  <message>
   <source>Will be refused: {why}</source>
   <translation>Será recusado: {why}</translation>
  </message>
  <message>
   <source>Starting…</source>
   <translation>A começar…</translation>
  </message>
  <message>
   <source>{n} a second</source>
   <translation>{n} por segundo</translation>
  </message>
  <message>
   <source>{time} left</source>
   <translation>faltam {time}</translation>
  </message>
  <message>
   <source>about {time}</source>
   <translation>cerca de {time}</translation>
  </message>
  <message>
   <source>No runs in this project yet</source>
   <translation>Ainda não há execuções neste projeto</translation>
  </message>
  <message>
   <source>Filter answers…</source>
   <translation>Filtrar respostas…</translation>
  </message>
  <message>
   <source>Show or hide these rows</source>
   <translation>Mostrar ou esconder estas linhas</translation>
  </message>
  <message>
   <source>There is no raster to ask; open one first.</source>
   <translation>Não há raster a quem perguntar; abra um primeiro.</translation>
  </message>
  <message>
   <source>Describe</source>
   <translation>Descrever</translation>
  </message>
  <message>
   <source>Caption</source>
   <translation>Legendar</translation>
  </message>
  <message>
   <source>Classify</source>
   <translation>Classificar</translation>
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
   <translation>{tiles} blocos em {seconds} s</translation>
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
   <translation>{label} possível</translation>
  </message>
  <message>
   <source>{share} % refused</source>
   <translation>{share} % recusado</translation>
  </message>
  <message>
   <source>{share} % no data</source>
   <translation>{share} % sem dados</translation>
  </message>
  <message>
   <source>{share} % failed</source>
   <translation>{share} % falhado</translation>
  </message>
  <message>
   <source>{share} % not reached</source>
   <translation>{share} % não alcançado</translation>
  </message>
  <message>
   <source>{label}: not counted</source>
   <translation>{label}: não contado</translation>
  </message>
  <message>
   <source>{n} × {label}</source>
   <translation>{n} × {label}</translation>
  </message>
  <message>
   <source>{n} × {label} where it could be told</source>
   <translation>{n} × {label} onde se pôde dizer</translation>
  </message>
  <message>
   <source>refused</source>
   <translation>recusado</translation>
  </message>
  <message>
   <source>An HTML picture of the part of its scene that a feature of rsvlm_geo lies on.</source>
   <translation>Uma imagem HTML da parte da cena onde está um objeto de rsvlm_geo.</translation>
  </message>
  <message>
   <source>Devices: {names}</source>
   <translation>Dispositivos: {names}</translation>
  </message>
  <message>
   <source>Speed: {n} tiles a second on {device}</source>
   <translation>Velocidade: {n} blocos por segundo em {device}</translation>
  </message>
  <message>
   <source>Engine</source>
   <translation>Motor</translation>
  </message>
  <message>
   <source>The engine is a program of its own, in a Python of its own; QGIS's Python is never changed. Name the Python that has rsvlm_geo, or leave it empty to find one.</source>
   <translation>O motor é um programa à parte, num Python próprio; o do QGIS nunca é alterado. Indique o Python que tem rsvlm_geo, ou deixe vazio para encontrar um.</translation>
  </message>
  <message>
   <source>Python of the engine</source>
   <translation>Python do motor</translation>
  </message>
  <message>
   <source>all</source>
   <translation>todos</translation>
  </message>
  <message>
   <source>Threads</source>
   <translation>Linhas de execução</translation>
  </message>
  <message>
   <source>Test</source>
   <translation>Testar</translation>
  </message>
  <message>
   <source>Press Test to see versions, devices, models and speed.</source>
   <translation>Prima Testar para ver versões, dispositivos, modelos e velocidade.</translation>
  </message>
  <message>
   <source>Set up an engine</source>
   <translation>Instalar um motor</translation>
  </message>
  <message>
   <source>Made with</source>
   <translation>Feito com</translation>
  </message>
  <message>
   <source>Package, or a wheel's path</source>
   <translation>Pacote, ou caminho de um wheel</translation>
  </message>
  <message>
   <source>Installed by</source>
   <translation>Instalado por</translation>
  </message>
  <message>
   <source>the usual one</source>
   <translation>o habitual</translation>
  </message>
  <message>
   <source>Package index</source>
   <translation>Índice de pacotes</translation>
  </message>
  <message>
   <source>none, for example http://proxy:8080</source>
   <translation>nenhum, por exemplo http://proxy:8080</translation>
  </message>
  <message>
   <source>Proxy</source>
   <translation>Proxy</translation>
  </message>
  <message>
   <source>for a machine without network</source>
   <translation>para uma máquina sem rede</translation>
  </message>
  <message>
   <source>Folder of wheels</source>
   <translation>Pasta de wheels</translation>
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
   <translation>A iniciar {python}…</translation>
  </message>
  <message>
   <source>The engine is set up.</source>
   <translation>O motor está instalado.</translation>
  </message>
  <message>
   <source>Model: {name} {version}</source>
   <translation>Modelo: {name} {version}</translation>
  </message>
  <message>
   <source>none found</source>
   <translation>nenhum encontrado</translation>
  </message>
  <message>
   <source>These commands are run, and no others:</source>
   <translation>São executados estes comandos, e nenhuns outros:</translation>
  </message>
  <message>
   <source>none</source>
   <translation>nenhum</translation>
  </message>
  <message>
   <source>There is no file {path}; choose the engine's Python.</source>
   <translation>O ficheiro {path} não existe; escolha o Python do motor.</translation>
  </message>
  <message>
   <source>Ask the map: describe, count, locate, ask</source>
   <translation>Perguntar ao mapa: descrever, contar, localizar, perguntar</translation>
  </message>
  <message>
   <source>rsvlm_geo: ask an image of the Earth</source>
   <translation>rsvlm_geo: perguntar a uma imagem da Terra</translation>
  </message>
  <message>
   <source>Totals</source>
   <translation>Totais</translation>
  </message>
  <message>
   <source>Answers by status</source>
   <translation>Respostas por estado</translation>
  </message>
  <message>
   <source>A total speaks only for the tiles that were answered; hatched tiles could not be told.</source>
   <translation>Um total só fala dos blocos respondidos; nos tracejados não se pôde dizer.</translation>
  </message>
  <message>
   <source>Scene: {name}</source>
   <translation>Cena: {name}</translation>
  </message>
  <message>
   <source>Model: {name}</source>
   <translation>Modelo: {name}</translation>
  </message>
  <message>
   <source>Run {run}, {when}</source>
   <translation>Execução {run}, {when}</translation>
  </message>
  <message>
   <source>no folder can be written: {folders}</source>
   <translation>não é possível escrever em nenhuma pasta: {folders}</translation>
  </message>
  <message>
   <source>Scene</source>
   <translation>Cena</translation>
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
   <translation>Unidade</translation>
  </message>
  <message>
   <source>Confidence</source>
   <translation>Confiança</translation>
  </message>
  <message>
   <source>Why refused</source>
   <translation>Motivo da recusa</translation>
  </message>
  <message>
   <source>Objects in the tile</source>
   <translation>Objetos no bloco</translation>
  </message>
  <message>
   <source>Ground sampling distance, m</source>
   <translation>Resolução no terreno, m</translation>
  </message>
  <message>
   <source>Share of valid pixels</source>
   <translation>Parte de píxeis válidos</translation>
  </message>
  <message>
   <source>Time, ms</source>
   <translation>Tempo, ms</translation>
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
   <translation>Classe</translation>
  </message>
  <message>
   <source>Score</source>
   <translation>Pontuação</translation>
  </message>
  <message>
   <source>Area, m²</source>
   <translation>Área, m²</translation>
  </message>
  <message>
   <source>cannot be told</source>
   <translation>não se pode dizer</translation>
  </message>
  <message>
   <source>no confidence given</source>
   <translation>sem confiança indicada</translation>
  </message>
  <message>
   <source>confidence</source>
   <translation>confiança</translation>
  </message>
  <message>
   <source>Answers of a model, tile by tile; each says whether to believe it.</source>
   <translation>Respostas de um modelo, bloco a bloco; cada uma diz se se deve acreditar.</translation>
  </message>
  <message>
   <source>The plugin's algorithms are not there; restart QGIS.</source>
   <translation>Faltam os algoritmos do módulo; reinicie o QGIS.</translation>
  </message>
  <message>
   <source>No file was written; the finished tiles are taken up again.</source>
   <translation>Nenhum ficheiro foi escrito; os blocos feitos serão retomados.</translation>
  </message>
  <message>
   <source>The run failed; see the log panel.</source>
   <translation>A execução falhou; veja o painel de registo.</translation>
  </message>
  <message>
   <source>Open Settings ▸ Options ▸ rsvlm_geo and press Test or Set up.</source>
   <translation>Abra Configurações ▸ Opções ▸ rsvlm_geo e prima Testar ou Instalar.</translation>
  </message>
  <message>
   <source>Choose another output file, or free the disk; close the file if another program has it.</source>
   <translation>Escolha outro ficheiro de saída ou liberte o disco; feche o ficheiro se outro programa o tiver.</translation>
  </message>
  <message>
   <source>Set its CRS: right click the layer ▸ Layer CRS ▸ Set Layer CRS.</source>
   <translation>Defina o SRC: clique direito na camada ▸ SRC da camada ▸ Definir SRC.</translation>
  </message>
  <message>
   <source>The file was moved or removed; repair the layer's data source.</source>
   <translation>O ficheiro foi movido ou apagado; repare a fonte de dados da camada.</translation>
  </message>
  <message>
   <source>Please report this, with the text of the log panel.</source>
   <translation>Por favor comunique isto, com o texto do painel de registo.</translation>
  </message>
  <message>
   <source>no engine is set up yet</source>
   <translation>ainda não há motor</translation>
  </message>
  <message>
   <source>The engine does not fit this plugin: {detail}.</source>
   <translation>O motor não serve a este módulo: {detail}.</translation>
  </message>
  <message>
   <source>Update it: Settings ▸ Options ▸ rsvlm_geo ▸ Set up.</source>
   <translation>Atualize-o: Configurações ▸ Opções ▸ rsvlm_geo ▸ Instalar.</translation>
  </message>
  <message>
   <source>The engine does not start: {detail}.</source>
   <translation>O motor não arranca: {detail}.</translation>
  </message>
  <message>
   <source>The engine stopped in the middle: {detail}.</source>
   <translation>O motor parou a meio: {detail}.</translation>
  </message>
  <message>
   <source>Nothing was written. Run it again; the log panel has the engine's last words.</source>
   <translation>Nada foi escrito. Execute de novo; o painel de registo tem as últimas palavras do motor.</translation>
  </message>
  <message>
   <source>This Python has no rsvlm_geo in it: {path}.</source>
   <translation>Este Python não tem rsvlm_geo: {path}.</translation>
  </message>
  <message>
   <source>The layer “{name}” cannot be read; repair its data source.</source>
   <translation>A camada “{name}” não pode ser lida; repare a sua fonte de dados.</translation>
  </message>
  <message>
   <source>The layer “{name}” has no CRS, so answers have no place on the map; set it with right click ▸ Layer CRS ▸ Set Layer CRS.</source>
   <translation>A camada “{name}” não tem SRC, por isso as respostas não têm lugar no mapa; defina-o com clique direito ▸ SRC da camada ▸ Definir SRC.</translation>
  </message>
  <message>
   <source>The file of “{name}” is gone: {path}; repair its data source.</source>
   <translation>O ficheiro de “{name}” desapareceu: {path}; repare a sua fonte de dados.</translation>
  </message>
  <message>
   <source>The area is {width} × {height} pixels at {gsd} m; choose a smaller area or a larger ground sampling distance.</source>
   <translation>A área tem {width} × {height} píxeis a {gsd} m; escolha uma área menor ou uma resolução mais grosseira.</translation>
  </message>
  <message>
   <source>Cannot write {path}; free the disk or its folder.</source>
   <translation>Não é possível escrever {path}; liberte o disco ou a pasta.</translation>
  </message>
  <message>
   <source>The layer “{name}” gave no picture of this area; check its connection and its scale limits.</source>
   <translation>A camada “{name}” não deu imagem desta área; verifique a ligação e os limites de escala.</translation>
  </message>
  <message>
   <source>answered</source>
   <translation>respondido</translation>
  </message>
  <message>
   <source>unreadable</source>
   <translation>ilegível</translation>
  </message>
  <message>
   <source>no data</source>
   <translation>sem dados</translation>
  </message>
  <message>
   <source>failed</source>
   <translation>falhado</translation>
  </message>
  <message>
   <source>not visible</source>
   <translation>não se vê</translation>
  </message>
  <message>
   <source>no colour in the image</source>
   <translation>a imagem não tem cor</translation>
  </message>
  <message>
   <source>too coarse to tell</source>
   <translation>demasiado grosseiro para dizer</translation>
  </message>
  <message>
   <source>wrong kind of sensor</source>
   <translation>outro tipo de sensor</translation>
  </message>
  <message>
   <source>not sure enough</source>
   <translation>certeza insuficiente</translation>
  </message>
  <message>
   <source>outside what the model knows</source>
   <translation>fora do que o modelo conhece</translation>
  </message>
 </context>
</TS>
