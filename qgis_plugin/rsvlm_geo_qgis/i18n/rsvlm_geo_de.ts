<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="de" sourcelanguage="en">
 <context>
  <name>rsvlm_geo</name>
  <message>
   <source>Ask a scene</source>
   <translation>Eine Szene befragen</translation>
  </message>
  <message>
   <source>Drawing the layer for the engine; its provider's terms apply.</source>
   <translation>Der Layer wird für die Engine gezeichnet; es gelten die Bedingungen seines Anbieters.</translation>
  </message>
  <message>
   <source>The scene is cut into tiles; each is shown to the model and its answer becomes a polygon. An answer is &lt;b&gt;answered&lt;/b&gt;, &lt;b&gt;refused&lt;/b&gt; (with the reason), &lt;b&gt;unreadable&lt;/b&gt;, &lt;b&gt;nodata&lt;/b&gt; or &lt;b&gt;failed&lt;/b&gt;; a total is only called complete when every tile with data was answered.</source>
   <translation>Die Szene wird in Kacheln geschnitten; jede wird dem Modell gezeigt, und seine Antwort wird ein Polygon. Eine Antwort ist &lt;b&gt;beantwortet&lt;/b&gt;, &lt;b&gt;verweigert&lt;/b&gt; (mit dem Grund), &lt;b&gt;unlesbar&lt;/b&gt;, &lt;b&gt;ohne Daten&lt;/b&gt; oder &lt;b&gt;fehlgeschlagen&lt;/b&gt;; eine Summe heißt nur dann vollständig, wenn jede Kachel mit Daten beantwortet wurde.</translation>
  </message>
  <message>
   <source>The work is done by the engine, a process of its own; set it up in Settings ▸ Options ▸ rsvlm_geo.</source>
   <translation>Die Arbeit macht die Engine, ein eigener Prozess; einrichten unter Einstellungen ▸ Optionen ▸ rsvlm_geo.</translation>
  </message>
  <message>
   <source>No engine is set up yet. Open Settings ▸ Options ▸ rsvlm_geo and press Set up.</source>
   <translation>Es ist noch keine Engine eingerichtet. Einstellungen ▸ Optionen ▸ rsvlm_geo öffnen und „Einrichten“ drücken.</translation>
  </message>
  <message>
   <source>The engine's Python is not there: {path}. Open Settings ▸ Options ▸ rsvlm_geo and choose another.</source>
   <translation>Das Python der Engine ist nicht da: {path}. Unter Einstellungen ▸ Optionen ▸ rsvlm_geo ein anderes wählen.</translation>
  </message>
  <message>
   <source>Raster layer</source>
   <translation>Rasterlayer</translation>
  </message>
  <message>
   <source>Extent to ask about</source>
   <translation>Ausdehnung, um die es geht</translation>
  </message>
  <message>
   <source>Polygons to ask about</source>
   <translation>Polygone, um die es geht</translation>
  </message>
  <message>
   <source>Model pack (name or folder; empty: the default)</source>
   <translation>Modellpaket (Name oder Ordner; leer: das voreingestellte)</translation>
  </message>
  <message>
   <source>Runs on</source>
   <translation>Läuft auf</translation>
  </message>
  <message>
   <source>Margin of a tile, metres (0: the model's own)</source>
   <translation>Rand einer Kachel in Metern (0: der des Modells)</translation>
  </message>
  <message>
   <source>Metres per pixel shown to the model (0: the model's own)</source>
   <translation>Meter je Pixel, die das Modell sieht (0: die des Modells)</translation>
  </message>
  <message>
   <source>Show the model what I see (the layer's own bands and stretch)</source>
   <translation>Dem Modell zeigen, was ich sehe (Kanäle und Streckung des Layers)</translation>
  </message>
  <message>
   <source>When cancelled, keep what was done</source>
   <translation>Beim Abbrechen das Fertige behalten</translation>
  </message>
  <message>
   <source>Answers</source>
   <translation>Antworten</translation>
  </message>
  <message>
   <source>Tiles</source>
   <translation>Kacheln</translation>
  </message>
  <message>
   <source>Share of the area seen, 0 to 1</source>
   <translation>Gesehener Anteil der Fläche, 0 bis 1</translation>
  </message>
  <message>
   <source>complete or incomplete</source>
   <translation>vollständig oder unvollständig</translation>
  </message>
  <message>
   <source>Summary</source>
   <translation>Zusammenfassung</translation>
  </message>
  <message>
   <source>Run</source>
   <translation>Starten</translation>
  </message>
  <message>
   <source>Type a question, for example: is there a bridge?</source>
   <translation>Eine Frage eingeben, zum Beispiel: Is there a bridge?</translation>
  </message>
  <message>
   <source>Say what to look for, for example: car</source>
   <translation>Sagen, was gesucht wird, zum Beispiel: car</translation>
  </message>
  <message>
   <source>There is no raster to ask; open one and choose it as the layer.</source>
   <translation>Es gibt kein Raster zum Befragen; eines öffnen und als Layer wählen.</translation>
  </message>
  <message>
   <source>Cancelled.</source>
   <translation>Abgebrochen.</translation>
  </message>
  <message>
   <source>{share} % of the picture came back empty and counts as nodata.</source>
   <translation>{share} % des Bildes kamen leer zurück und gelten als ohne Daten.</translation>
  </message>
  <message>
   <source>What to look for (a class, or several separated by commas)</source>
   <translation>Was gesucht wird (eine Klasse oder mehrere, durch Kommas getrennt)</translation>
  </message>
  <message>
   <source>Question</source>
   <translation>Frage</translation>
  </message>
  <message>
   <source>Objects</source>
   <translation>Objekte</translation>
  </message>
  <message>
   <source>Total of the objects</source>
   <translation>Summe der Objekte</translation>
  </message>
  <message>
   <source>The layer of areas has no polygon in it; draw one, or leave it empty.</source>
   <translation>Im Layer der Flächen ist kein Polygon; eines zeichnen oder das Feld leer lassen.</translation>
  </message>
  <message>
   <source>{n} of {total} answers are {status}.</source>
   <translation>{n} von {total} Antworten: {status}.</translation>
  </message>
  <message>
   <source>Ask many scenes (STAC)</source>
   <translation>Viele Szenen befragen (STAC)</translation>
  </message>
  <message>
   <source>Many scenes</source>
   <translation>Viele Szenen</translation>
  </message>
  <message>
   <source>One question to every item of a STAC collection or folder, resumable.</source>
   <translation>Eine Frage an jedes Element einer STAC-Sammlung oder eines Ordners, fortsetzbar.</translation>
  </message>
  <message>
   <source>Items: a STAC ItemCollection (file or URL), an item, or a raster. Results lie in the folder as parts, one a scene; run it again to go on.</source>
   <translation>Elemente: eine STAC ItemCollection (Datei oder URL), ein Item oder ein Raster. Die Ergebnisse liegen als Teile im Ordner, einer je Szene; zum Fortsetzen noch einmal starten.</translation>
  </message>
  <message>
   <source>STAC items: file or URL</source>
   <translation>STAC-Elemente: Datei oder URL</translation>
  </message>
  <message>
   <source>Task</source>
   <translation>Aufgabe</translation>
  </message>
  <message>
   <source>What to look for, or the question</source>
   <translation>Was gesucht wird, oder die Frage</translation>
  </message>
  <message>
   <source>Model pack</source>
   <translation>Modellpaket</translation>
  </message>
  <message>
   <source>Folder</source>
   <translation>Ordner</translation>
  </message>
  <message>
   <source>Say what to look for, or type the question.</source>
   <translation>Sagen, was gesucht wird, oder die Frage eingeben.</translation>
  </message>
  <message>
   <source>Cancelled; what was done is taken up again.</source>
   <translation>Abgebrochen; Fertiges wird wieder aufgenommen.</translation>
  </message>
  <message>
   <source>The engine has no command “{name}”; update it in the options.</source>
   <translation>Die Engine kennt den Befehl „{name}“ nicht; in den Optionen aktualisieren.</translation>
  </message>
  <message>
   <source>Results are GeoPackages; choose a file that ends in .gpkg instead of {path}.</source>
   <translation>Ergebnisse sind GeoPackages; statt {path} eine Datei wählen, die auf .gpkg endet.</translation>
  </message>
  <message>
   <source>There is no folder {folder}; make it, or choose another.</source>
   <translation>Den Ordner {folder} gibt es nicht; anlegen oder einen anderen wählen.</translation>
  </message>
  <message>
   <source>The folder {folder} cannot be written; choose another.</source>
   <translation>In den Ordner {folder} kann nicht geschrieben werden; einen anderen wählen.</translation>
  </message>
  <message>
   <source>Cancelled; no file was written.</source>
   <translation>Abgebrochen; es wurde keine Datei geschrieben.</translation>
  </message>
  <message>
   <source>{tiles} tiles; {model} on {provider}.</source>
   <translation>{tiles} Kacheln; {model} auf {provider}.</translation>
  </message>
  <message>
   <source>Tile {tile}: {message}</source>
   <translation>Kachel {tile}: {message}</translation>
  </message>
  <message>
   <source>Waiting for {n} other runs to end.</source>
   <translation>Wartet auf das Ende von {n} anderen Läufen.</translation>
  </message>
  <message>
   <source>Describe a scene</source>
   <translation>Eine Szene beschreiben</translation>
  </message>
  <message>
   <source>Caption, scene class and counts of what the model knows, for every tile.</source>
   <translation>Bildunterschrift, Szenenklasse und Zählungen dessen, was das Modell kennt, für jede Kachel.</translation>
  </message>
  <message>
   <source>Caption a scene</source>
   <translation>Eine Szene in Worte fassen</translation>
  </message>
  <message>
   <source>A sentence or two about each tile.</source>
   <translation>Ein, zwei Sätze zu jeder Kachel.</translation>
  </message>
  <message>
   <source>Classify a scene</source>
   <translation>Eine Szene klassifizieren</translation>
  </message>
  <message>
   <source>One scene class per tile, from the classes the model knows.</source>
   <translation>Eine Szenenklasse je Kachel, aus den Klassen, die das Modell kennt.</translation>
  </message>
  <message>
   <source>Count objects</source>
   <translation>Objekte zählen</translation>
  </message>
  <message>
   <source>The number of objects of a class per tile, and a total that says what it covers.</source>
   <translation>Die Zahl der Objekte einer Klasse je Kachel und eine Summe, die sagt, wofür sie gilt.</translation>
  </message>
  <message>
   <source>Locate objects</source>
   <translation>Objekte lokalisieren</translation>
  </message>
  <message>
   <source>A polygon around each object of a class, merged across the seams of tiles.</source>
   <translation>Ein Polygon um jedes Objekt einer Klasse, über die Nähte der Kacheln hinweg vereint.</translation>
  </message>
  <message>
   <source>Is it there?</source>
   <translation>Ist es da?</translation>
  </message>
  <message>
   <source>Yes, no, or an honest refusal, for every tile.</source>
   <translation>Ja, nein oder eine ehrliche Verweigerung, für jede Kachel.</translation>
  </message>
  <message>
   <source>Ask a scene a question</source>
   <translation>Einer Szene eine Frage stellen</translation>
  </message>
  <message>
   <source>A question in your own words, answered for every tile.</source>
   <translation>Eine Frage in eigenen Worten, für jede Kachel beantwortet.</translation>
  </message>
  <message>
   <source>Search tiles by text</source>
   <translation>Kacheln mit Text suchen</translation>
  </message>
  <message>
   <source>The tiles that look most like a sentence, best first.</source>
   <translation>Die Kacheln, die einem Satz am ähnlichsten sehen, die beste zuerst.</translation>
  </message>
  <message>
   <source>Looks like</source>
   <translation>Sieht aus wie</translation>
  </message>
  <message>
   <source>How many tiles</source>
   <translation>Wie viele Kacheln</translation>
  </message>
  <message>
   <source>Tiles found</source>
   <translation>Gefundene Kacheln</translation>
  </message>
  <message>
   <source>Say what to look for, for example: a harbour with ships</source>
   <translation>Sagen, was gesucht wird, zum Beispiel: a harbour with ships</translation>
  </message>
  <message>
   <source>Tile</source>
   <translation>Kachel</translation>
  </message>
  <message>
   <source>Answer</source>
   <translation>Antwort</translation>
  </message>
  <message>
   <source>Sure</source>
   <translation>Sicher</translation>
  </message>
  <message>
   <source>Ask about this place…</source>
   <translation>Nach diesem Ort fragen …</translation>
  </message>
  <message>
   <source>Ask</source>
   <translation>Fragen</translation>
  </message>
  <message>
   <source>There is no raster here to ask.</source>
   <translation>Hier ist kein Raster zum Befragen.</translation>
  </message>
  <message>
   <source>Open one, or click on one that is there.</source>
   <translation>Eines öffnen oder auf eines klicken, das da ist.</translation>
  </message>
  <message>
   <source>Asking…</source>
   <translation>Wird gefragt …</translation>
  </message>
  <message>
   <source>The answer could not be put on the map.</source>
   <translation>Die Antwort konnte nicht auf die Karte gebracht werden.</translation>
  </message>
  <message>
   <source>Asked here</source>
   <translation>Hier gefragt</translation>
  </message>
  <message>
   <source>Asked here: objects</source>
   <translation>Hier gefragt: Objekte</translation>
  </message>
  <message>
   <source>Save the project in a folder that can be written.</source>
   <translation>Das Projekt in einem Ordner speichern, in den geschrieben werden kann.</translation>
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
   <translation>Die Karte fragen</translation>
  </message>
  <message>
   <source>A run is going.</source>
   <translation>Es läuft schon etwas.</translation>
  </message>
  <message>
   <source>Cancel it, or wait until it ends.</source>
   <translation>Abbrechen oder warten, bis es endet.</translation>
  </message>
  <message>
   <source>Cancelling…</source>
   <translation>Wird abgebrochen …</translation>
  </message>
  <message>
   <source>Done, but another project is open now; the answers are in {path}.</source>
   <translation>Fertig, aber jetzt ist ein anderes Projekt offen; die Antworten sind in {path}.</translation>
  </message>
  <message>
   <source>The results cannot be opened: {path}.</source>
   <translation>Die Ergebnisse lassen sich nicht öffnen: {path}.</translation>
  </message>
  <message>
   <source>The file of this run is gone: {path}.</source>
   <translation>Die Datei dieses Laufs ist weg: {path}.</translation>
  </message>
  <message>
   <source>Run it again.</source>
   <translation>Noch einmal starten.</translation>
  </message>
  <message>
   <source>Cancelled after {n} answers.</source>
   <translation>Nach {n} Antworten abgebrochen.</translation>
  </message>
  <message>
   <source>The visible area does not reach the layer; zoom to it.</source>
   <translation>Der sichtbare Bereich erreicht den Layer nicht; auf ihn zoomen.</translation>
  </message>
  <message>
   <source>Select a polygon of a vector layer first.</source>
   <translation>Zuerst ein Polygon eines Vektorlayers auswählen.</translation>
  </message>
  <message>
   <source>Draw an area on the map first.</source>
   <translation>Zuerst einen Bereich auf der Karte zeichnen.</translation>
  </message>
  <message>
   <source>Starting the engine…</source>
   <translation>Die Engine startet …</translation>
  </message>
  <message>
   <source>No engine is set up yet.</source>
   <translation>Es ist noch keine Engine eingerichtet.</translation>
  </message>
  <message>
   <source>The engine has no model pack; set one up in the options, then try again.</source>
   <translation>Die Engine hat kein Modellpaket; in den Optionen eines einrichten, dann noch einmal versuchen.</translation>
  </message>
  <message>
   <source>The layer is drawn for the engine first.</source>
   <translation>Der Layer wird zuerst für die Engine gezeichnet.</translation>
  </message>
  <message>
   <source>Best device</source>
   <translation>Bestes Gerät</translation>
  </message>
  <message>
   <source>CPU</source>
   <translation>CPU</translation>
  </message>
  <message>
   <source>Visible area</source>
   <translation>Sichtbarer Bereich</translation>
  </message>
  <message>
   <source>Whole layer</source>
   <translation>Ganzer Layer</translation>
  </message>
  <message>
   <source>Selected polygons</source>
   <translation>Gewählte Polygone</translation>
  </message>
  <message>
   <source>Drawn area</source>
   <translation>Gezeichneter Bereich</translation>
  </message>
  <message>
   <source>Ask here: click the map, or drag a rectangle</source>
   <translation>Hier fragen: auf die Karte klicken oder ein Rechteck ziehen</translation>
  </message>
  <message>
   <source>Ask here</source>
   <translation>Hier fragen</translation>
  </message>
  <message>
   <source>Runs of this project</source>
   <translation>Läufe dieses Projekts</translation>
  </message>
  <message>
   <source>Runs</source>
   <translation>Läufe</translation>
  </message>
  <message>
   <source>Print layout with map, legend, totals and coverage</source>
   <translation>Drucklayout mit Karte, Legende, Summen und Abdeckung</translation>
  </message>
  <message>
   <source>Report</source>
   <translation>Bericht</translation>
  </message>
  <message>
   <source>Options: engine, test, set up</source>
   <translation>Optionen: Engine, Test, Einrichten</translation>
  </message>
  <message>
   <source>Open options…</source>
   <translation>Optionen öffnen …</translation>
  </message>
  <message>
   <source>Layer</source>
   <translation>Layer</translation>
  </message>
  <message>
   <source>Draw: drag a rectangle, or click corners and right click</source>
   <translation>Zeichnen: ein Rechteck ziehen, oder Ecken klicken und rechts klicken</translation>
  </message>
  <message>
   <source>Area</source>
   <translation>Bereich</translation>
  </message>
  <message>
   <source>Model</source>
   <translation>Modell</translation>
  </message>
  <message>
   <source>More</source>
   <translation>Mehr</translation>
  </message>
  <message>
   <source>the model's own</source>
   <translation>der des Modells</translation>
  </message>
  <message>
   <source>Margin of a tile</source>
   <translation>Rand einer Kachel</translation>
  </message>
  <message>
   <source>Show the model what I see</source>
   <translation>Dem Modell zeigen, was ich sehe</translation>
  </message>
  <message>
   <source>Use the layer's own bands and stretch instead of the scene's percentiles</source>
   <translation>Kanäle und Streckung des Layers statt der Perzentile der Szene verwenden</translation>
  </message>
  <message>
   <source>Cancel</source>
   <translation>Abbrechen</translation>
  </message>
  <message>
   <source>runs on {device}</source>
   <translation>läuft auf {device}</translation>
  </message>
  <message>
   <source>, {n} tiles a second</source>
   <translation>, {n} Kacheln je Sekunde</translation>
  </message>
  <message>
   <source>A GPU was asked for, but the model runs on the CPU. Set up the engine with the GPU package, or choose “Best device”.</source>
   <translation>Eine GPU war verlangt, aber das Modell läuft auf der CPU. Die Engine mit dem GPU-Paket einrichten oder „Bestes Gerät“ wählen.</translation>
  </message>
  <message>
   <source>{n} tiles</source>
   <translation>{n} Kacheln</translation>
  </message>
  <message>
   <source>{done} of {total} tiles</source>
   <translation>{done} von {total} Kacheln</translation>
  </message>
  <message>
   <source>What</source>
   <translation>Was</translation>
  </message>
  <message>
   <source>Type a question…</source>
   <translation>Eine Frage eingeben …</translation>
  </message>
  <message>
   <source>car, ship…</source>
   <translation>car, ship …</translation>
  </message>
  <message>
   <source>Will be refused: {why}</source>
   <translation>Wird verweigert: {why}</translation>
  </message>
  <message>
   <source>Starting…</source>
   <translation>Startet …</translation>
  </message>
  <message>
   <source>{n} a second</source>
   <translation>{n} je Sekunde</translation>
  </message>
  <message>
   <source>{time} left</source>
   <translation>noch {time}</translation>
  </message>
  <message>
   <source>about {time}</source>
   <translation>etwa {time}</translation>
  </message>
  <message>
   <source>No runs in this project yet</source>
   <translation>Noch keine Läufe in diesem Projekt</translation>
  </message>
  <message>
   <source>Filter answers…</source>
   <translation>Antworten filtern …</translation>
  </message>
  <message>
   <source>Show or hide these rows</source>
   <translation>Diese Zeilen zeigen oder verbergen</translation>
  </message>
  <message>
   <source>There is no raster to ask; open one first.</source>
   <translation>Es gibt kein Raster zum Befragen; zuerst eines öffnen.</translation>
  </message>
  <message>
   <source>Describe</source>
   <translation>Beschreiben</translation>
  </message>
  <message>
   <source>Caption</source>
   <translation>In Worte fassen</translation>
  </message>
  <message>
   <source>Classify</source>
   <translation>Klassifizieren</translation>
  </message>
  <message>
   <source>Count</source>
   <translation>Zählen</translation>
  </message>
  <message>
   <source>Locate</source>
   <translation>Lokalisieren</translation>
  </message>
  <message>
   <source>{n} h</source>
   <translation>{n} h</translation>
  </message>
  <message>
   <source>{tiles} tiles in {seconds} s</source>
   <translation>{tiles} Kacheln in {seconds} s</translation>
  </message>
  <message>
   <source>under 1 s</source>
   <translation>unter 1 s</translation>
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
   <translation>{share} % gesehen</translation>
  </message>
  <message>
   <source>possible {label}</source>
   <translation>{label} (möglich)</translation>
  </message>
  <message>
   <source>{share} % refused</source>
   <translation>{share} % verweigert</translation>
  </message>
  <message>
   <source>{share} % no data</source>
   <translation>{share} % ohne Daten</translation>
  </message>
  <message>
   <source>{share} % failed</source>
   <translation>{share} % fehlgeschlagen</translation>
  </message>
  <message>
   <source>{share} % not reached</source>
   <translation>{share} % nicht erreicht</translation>
  </message>
  <message>
   <source>{label}: not counted</source>
   <translation>{label}: nicht gezählt</translation>
  </message>
  <message>
   <source>{n} × {label}</source>
   <translation>{n} × {label}</translation>
  </message>
  <message>
   <source>{n} × {label} where it could be told</source>
   <translation>{n} × {label}, soweit es zu sagen war</translation>
  </message>
  <message>
   <source>refused</source>
   <translation>verweigert</translation>
  </message>
  <message>
   <source>An HTML picture of the part of its scene that a feature of rsvlm_geo lies on.</source>
   <translation>Ein HTML-Bild des Teils der Szene, auf dem ein Objekt von rsvlm_geo liegt.</translation>
  </message>
  <message>
   <source>Devices: {names}</source>
   <translation>Geräte: {names}</translation>
  </message>
  <message>
   <source>Speed: {n} tiles a second on {device}</source>
   <translation>Tempo: {n} Kacheln je Sekunde auf {device}</translation>
  </message>
  <message>
   <source>Engine</source>
   <translation>Engine</translation>
  </message>
  <message>
   <source>The engine is a program of its own, in a Python of its own; QGIS's Python is never changed. Name the Python that has rsvlm_geo, or leave it empty to find one.</source>
   <translation>Die Engine ist ein eigenes Programm in einem eigenen Python; das Python von QGIS wird nie verändert. Das Python nennen, das rsvlm_geo hat, oder leer lassen, um eines zu finden.</translation>
  </message>
  <message>
   <source>Python of the engine</source>
   <translation>Python der Engine</translation>
  </message>
  <message>
   <source>all</source>
   <translation>alle</translation>
  </message>
  <message>
   <source>Threads</source>
   <translation>Threads</translation>
  </message>
  <message>
   <source>Test</source>
   <translation>Testen</translation>
  </message>
  <message>
   <source>Press Test to see versions, devices, models and speed.</source>
   <translation>„Testen“ zeigt Versionen, Geräte, Modelle und Tempo.</translation>
  </message>
  <message>
   <source>Set up an engine</source>
   <translation>Eine Engine einrichten</translation>
  </message>
  <message>
   <source>Made with</source>
   <translation>Gemacht mit</translation>
  </message>
  <message>
   <source>Package, or a wheel's path</source>
   <translation>Paket oder Pfad eines Wheels</translation>
  </message>
  <message>
   <source>Installed by</source>
   <translation>Installiert von</translation>
  </message>
  <message>
   <source>the usual one</source>
   <translation>der übliche</translation>
  </message>
  <message>
   <source>Package index</source>
   <translation>Paketindex</translation>
  </message>
  <message>
   <source>none, for example http://proxy:8080</source>
   <translation>keiner, zum Beispiel http://proxy:8080</translation>
  </message>
  <message>
   <source>Proxy</source>
   <translation>Proxy</translation>
  </message>
  <message>
   <source>for a machine without network</source>
   <translation>für einen Rechner ohne Netz</translation>
  </message>
  <message>
   <source>Folder of wheels</source>
   <translation>Ordner mit Wheels</translation>
  </message>
  <message>
   <source>Copy</source>
   <translation>Kopieren</translation>
  </message>
  <message>
   <source>Set up</source>
   <translation>Einrichten</translation>
  </message>
  <message>
   <source>Starting {python}…</source>
   <translation>{python} startet …</translation>
  </message>
  <message>
   <source>The engine is set up.</source>
   <translation>Die Engine ist eingerichtet.</translation>
  </message>
  <message>
   <source>Model: {name} {version}</source>
   <translation>Modell: {name} {version}</translation>
  </message>
  <message>
   <source>none found</source>
   <translation>keines gefunden</translation>
  </message>
  <message>
   <source>These commands are run, and no others:</source>
   <translation>Diese Befehle werden ausgeführt und keine anderen:</translation>
  </message>
  <message>
   <source>none</source>
   <translation>keine</translation>
  </message>
  <message>
   <source>There is no file {path}; choose the engine's Python.</source>
   <translation>Die Datei {path} gibt es nicht; das Python der Engine wählen.</translation>
  </message>
  <message>
   <source>Ask the map: describe, count, locate, ask</source>
   <translation>Die Karte fragen: beschreiben, zählen, lokalisieren, fragen</translation>
  </message>
  <message>
   <source>rsvlm_geo: ask an image of the Earth</source>
   <translation>rsvlm_geo: ein Bild der Erde befragen</translation>
  </message>
  <message>
   <source>Totals</source>
   <translation>Summen</translation>
  </message>
  <message>
   <source>Answers by status</source>
   <translation>Antworten nach Status</translation>
  </message>
  <message>
   <source>A total speaks only for the tiles that were answered; hatched tiles could not be told.</source>
   <translation>Eine Summe gilt nur für die beantworteten Kacheln; bei schraffierten war es nicht zu sagen.</translation>
  </message>
  <message>
   <source>Scene: {name}</source>
   <translation>Szene: {name}</translation>
  </message>
  <message>
   <source>Model: {name}</source>
   <translation>Modell: {name}</translation>
  </message>
  <message>
   <source>Run {run}, {when}</source>
   <translation>Lauf {run}, {when}</translation>
  </message>
  <message>
   <source>no folder can be written: {folders}</source>
   <translation>in keinen Ordner kann geschrieben werden: {folders}</translation>
  </message>
  <message>
   <source>Scene</source>
   <translation>Szene</translation>
  </message>
  <message>
   <source>Status</source>
   <translation>Status</translation>
  </message>
  <message>
   <source>Value</source>
   <translation>Wert</translation>
  </message>
  <message>
   <source>Unit</source>
   <translation>Einheit</translation>
  </message>
  <message>
   <source>Confidence</source>
   <translation>Sicherheit</translation>
  </message>
  <message>
   <source>Why refused</source>
   <translation>Warum verweigert</translation>
  </message>
  <message>
   <source>Objects in the tile</source>
   <translation>Objekte in der Kachel</translation>
  </message>
  <message>
   <source>Ground sampling distance, m</source>
   <translation>Bodenauflösung, m</translation>
  </message>
  <message>
   <source>Share of valid pixels</source>
   <translation>Anteil gültiger Pixel</translation>
  </message>
  <message>
   <source>Time, ms</source>
   <translation>Zeit, ms</translation>
  </message>
  <message>
   <source>Acquired</source>
   <translation>Aufgenommen</translation>
  </message>
  <message>
   <source>Object</source>
   <translation>Objekt</translation>
  </message>
  <message>
   <source>Class</source>
   <translation>Klasse</translation>
  </message>
  <message>
   <source>Score</source>
   <translation>Wertung</translation>
  </message>
  <message>
   <source>Area, m²</source>
   <translation>Fläche, m²</translation>
  </message>
  <message>
   <source>cannot be told</source>
   <translation>nicht zu sagen</translation>
  </message>
  <message>
   <source>no confidence given</source>
   <translation>ohne Angabe der Sicherheit</translation>
  </message>
  <message>
   <source>confidence</source>
   <translation>Sicherheit</translation>
  </message>
  <message>
   <source>Answers of a model, tile by tile; each says whether to believe it.</source>
   <translation>Antworten eines Modells, Kachel für Kachel; jede sagt, ob ihr zu trauen ist.</translation>
  </message>
  <message>
   <source>The plugin's algorithms are not there; restart QGIS.</source>
   <translation>Die Algorithmen des Plugins sind nicht da; QGIS neu starten.</translation>
  </message>
  <message>
   <source>No file was written; the finished tiles are taken up again.</source>
   <translation>Es wurde keine Datei geschrieben; die fertigen Kacheln werden wieder aufgenommen.</translation>
  </message>
  <message>
   <source>The run failed; see the log panel.</source>
   <translation>Der Lauf ist fehlgeschlagen; siehe Protokollfenster.</translation>
  </message>
  <message>
   <source>Open Settings ▸ Options ▸ rsvlm_geo and press Test or Set up.</source>
   <translation>Einstellungen ▸ Optionen ▸ rsvlm_geo öffnen und „Testen“ oder „Einrichten“ drücken.</translation>
  </message>
  <message>
   <source>Choose another output file, or free the disk; close the file if another program has it.</source>
   <translation>Eine andere Ausgabedatei wählen oder Platz schaffen; die Datei schließen, falls ein anderes Programm sie offen hat.</translation>
  </message>
  <message>
   <source>Set its CRS: right click the layer ▸ Layer CRS ▸ Set Layer CRS.</source>
   <translation>Das KBS setzen: Rechtsklick auf den Layer ▸ Layer-KBS ▸ Layer-KBS setzen.</translation>
  </message>
  <message>
   <source>The file was moved or removed; repair the layer's data source.</source>
   <translation>Die Datei wurde verschoben oder gelöscht; die Datenquelle des Layers reparieren.</translation>
  </message>
  <message>
   <source>Please report this, with the text of the log panel.</source>
   <translation>Bitte melden, mit dem Text des Protokollfensters.</translation>
  </message>
  <message>
   <source>no engine is set up yet</source>
   <translation>es ist noch keine Engine eingerichtet</translation>
  </message>
  <message>
   <source>The engine does not fit this plugin: {detail}.</source>
   <translation>Die Engine passt nicht zu diesem Plugin: {detail}.</translation>
  </message>
  <message>
   <source>Update it: Settings ▸ Options ▸ rsvlm_geo ▸ Set up.</source>
   <translation>Aktualisieren: Einstellungen ▸ Optionen ▸ rsvlm_geo ▸ Einrichten.</translation>
  </message>
  <message>
   <source>The engine does not start: {detail}.</source>
   <translation>Die Engine startet nicht: {detail}.</translation>
  </message>
  <message>
   <source>The engine stopped in the middle: {detail}.</source>
   <translation>Die Engine hat mittendrin aufgehört: {detail}.</translation>
  </message>
  <message>
   <source>Nothing was written. Run it again; the log panel has the engine's last words.</source>
   <translation>Es wurde nichts geschrieben. Noch einmal starten; im Protokollfenster stehen die letzten Worte der Engine.</translation>
  </message>
  <message>
   <source>This Python has no rsvlm_geo in it: {path}.</source>
   <translation>In diesem Python ist kein rsvlm_geo: {path}.</translation>
  </message>
  <message>
   <source>The layer “{name}” cannot be read; repair its data source.</source>
   <translation>Der Layer „{name}“ ist nicht lesbar; seine Datenquelle reparieren.</translation>
  </message>
  <message>
   <source>The layer “{name}” has no CRS, so answers have no place on the map; set it with right click ▸ Layer CRS ▸ Set Layer CRS.</source>
   <translation>Der Layer „{name}“ hat kein KBS, also haben Antworten keinen Ort auf der Karte; setzen mit Rechtsklick ▸ Layer-KBS ▸ Layer-KBS setzen.</translation>
  </message>
  <message>
   <source>The file of “{name}” is gone: {path}; repair its data source.</source>
   <translation>Die Datei von „{name}“ ist weg: {path}; die Datenquelle reparieren.</translation>
  </message>
  <message>
   <source>The area is {width} × {height} pixels at {gsd} m; choose a smaller area or a larger ground sampling distance.</source>
   <translation>Der Bereich hat {width} × {height} Pixel bei {gsd} m; einen kleineren Bereich oder eine gröbere Bodenauflösung wählen.</translation>
  </message>
  <message>
   <source>Cannot write {path}; free the disk or its folder.</source>
   <translation>{path} lässt sich nicht schreiben; Platz oder Schreibrecht schaffen.</translation>
  </message>
  <message>
   <source>The layer “{name}” gave no picture of this area; check its connection and its scale limits.</source>
   <translation>Der Layer „{name}“ gab kein Bild dieses Bereichs; Verbindung und Maßstabsgrenzen prüfen.</translation>
  </message>
  <message>
   <source>answered</source>
   <translation>beantwortet</translation>
  </message>
  <message>
   <source>unreadable</source>
   <translation>unlesbar</translation>
  </message>
  <message>
   <source>no data</source>
   <translation>ohne Daten</translation>
  </message>
  <message>
   <source>failed</source>
   <translation>fehlgeschlagen</translation>
  </message>
  <message>
   <source>not visible</source>
   <translation>nicht zu sehen</translation>
  </message>
  <message>
   <source>no colour in the image</source>
   <translation>keine Farbe im Bild</translation>
  </message>
  <message>
   <source>too coarse to tell</source>
   <translation>zu grob, um es zu sagen</translation>
  </message>
  <message>
   <source>wrong kind of sensor</source>
   <translation>falsche Art von Sensor</translation>
  </message>
  <message>
   <source>not sure enough</source>
   <translation>nicht sicher genug</translation>
  </message>
  <message>
   <source>outside what the model knows</source>
   <translation>außerhalb dessen, was das Modell kennt</translation>
  </message>
 </context>
</TS>
