<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="fr" sourcelanguage="en">
 <context>
  <name>rsvlm_geo</name>
  <message>
   <source>Ask a scene</source>
   <translation>Interroger une scène</translation>
  </message>
  <message>
   <source>Drawing the layer for the engine; its provider's terms apply.</source>
   <translation>La couche est dessinée pour le moteur ; les conditions de son fournisseur s’appliquent.</translation>
  </message>
  <message>
   <source>The scene is cut into tiles; each is shown to the model and its answer becomes a polygon. An answer is &lt;b&gt;answered&lt;/b&gt;, &lt;b&gt;refused&lt;/b&gt; (with the reason), &lt;b&gt;unreadable&lt;/b&gt;, &lt;b&gt;nodata&lt;/b&gt; or &lt;b&gt;failed&lt;/b&gt;; a total is only called complete when every tile with data was answered.</source>
   <translation>La scène est découpée en tuiles ; chacune est montrée au modèle et sa réponse devient un polygone. Une réponse est &lt;b&gt;donnée&lt;/b&gt;, &lt;b&gt;refusée&lt;/b&gt; (avec la raison), &lt;b&gt;illisible&lt;/b&gt;, &lt;b&gt;sans données&lt;/b&gt; ou &lt;b&gt;échouée&lt;/b&gt; ; un total n’est dit complet que si chaque tuile avec des données a reçu une réponse.</translation>
  </message>
  <message>
   <source>The work is done by the engine, a process of its own; set it up in Settings ▸ Options ▸ rsvlm_geo.</source>
   <translation>Le travail est fait par le moteur, un processus à part ; à installer dans Préférences ▸ Options ▸ rsvlm_geo.</translation>
  </message>
  <message>
   <source>No engine is set up yet. Open Settings ▸ Options ▸ rsvlm_geo and press Set up.</source>
   <translation>Aucun moteur n’est encore installé. Ouvrez Préférences ▸ Options ▸ rsvlm_geo et appuyez sur Installer.</translation>
  </message>
  <message>
   <source>The engine's Python is not there: {path}. Open Settings ▸ Options ▸ rsvlm_geo and choose another.</source>
   <translation>Le Python du moteur est introuvable : {path}. Choisissez-en un autre dans Préférences ▸ Options ▸ rsvlm_geo.</translation>
  </message>
  <message>
   <source>Raster layer</source>
   <translation>Couche raster</translation>
  </message>
  <message>
   <source>Extent to ask about</source>
   <translation>Emprise concernée</translation>
  </message>
  <message>
   <source>Polygons to ask about</source>
   <translation>Polygones concernés</translation>
  </message>
  <message>
   <source>Model pack (name or folder; empty: the default)</source>
   <translation>Paquet de modèle (nom ou dossier ; vide : celui par défaut)</translation>
  </message>
  <message>
   <source>Runs on</source>
   <translation>Exécuté sur</translation>
  </message>
  <message>
   <source>Margin of a tile, metres (0: the model's own)</source>
   <translation>Marge d’une tuile en mètres (0 : celle du modèle)</translation>
  </message>
  <message>
   <source>Metres per pixel shown to the model (0: the model's own)</source>
   <translation>Mètres par pixel montrés au modèle (0 : ceux du modèle)</translation>
  </message>
  <message>
   <source>Show the model what I see (the layer's own bands and stretch)</source>
   <translation>Montrer au modèle ce que je vois (bandes et étirement de la couche)</translation>
  </message>
  <message>
   <source>When cancelled, keep what was done</source>
   <translation>En cas d’annulation, garder ce qui est fait</translation>
  </message>
  <message>
   <source>Answers</source>
   <translation>Réponses</translation>
  </message>
  <message>
   <source>Tiles</source>
   <translation>Tuiles</translation>
  </message>
  <message>
   <source>Share of the area seen, 0 to 1</source>
   <translation>Part de la zone vue, de 0 à 1</translation>
  </message>
  <message>
   <source>complete or incomplete</source>
   <translation>complet ou incomplet</translation>
  </message>
  <message>
   <source>Summary</source>
   <translation>Résumé</translation>
  </message>
  <message>
   <source>Run</source>
   <translation>Lancer</translation>
  </message>
  <message>
   <source>Type a question, for example: is there a bridge?</source>
   <translation>Tapez une question, par exemple : Is there a bridge?</translation>
  </message>
  <message>
   <source>Say what to look for, for example: car</source>
   <translation>Dites quoi chercher, par exemple : car</translation>
  </message>
  <message>
   <source>There is no raster to ask; open one and choose it as the layer.</source>
   <translation>Aucun raster à interroger ; ouvrez-en un et choisissez-le comme couche.</translation>
  </message>
  <message>
   <source>Cancelled.</source>
   <translation>Annulé.</translation>
  </message>
  <message>
   <source>{share} % of the picture came back empty and counts as nodata.</source>
   <translation>{share} % de l’image est revenue vide et compte comme sans données.</translation>
  </message>
  <message>
   <source>What to look for (a class, or several separated by commas)</source>
   <translation>Quoi chercher (une classe, ou plusieurs séparées par des virgules)</translation>
  </message>
  <message>
   <source>Question</source>
   <translation>Question</translation>
  </message>
  <message>
   <source>Objects</source>
   <translation>Objets</translation>
  </message>
  <message>
   <source>Total of the objects</source>
   <translation>Total des objets</translation>
  </message>
  <message>
   <source>The layer of areas has no polygon in it; draw one, or leave it empty.</source>
   <translation>La couche de zones ne contient aucun polygone ; dessinez-en un ou laissez vide.</translation>
  </message>
  <message>
   <source>{n} of {total} answers are {status}.</source>
   <translation>{n} réponses sur {total} : {status}.</translation>
  </message>
  <message>
   <source>Ask many scenes (STAC)</source>
   <translation>Interroger de nombreuses scènes (STAC)</translation>
  </message>
  <message>
   <source>Many scenes</source>
   <translation>Plusieurs scènes</translation>
  </message>
  <message>
   <source>One question to every item of a STAC collection or folder, resumable.</source>
   <translation>Une question à chaque élément d’une collection STAC ou d’un dossier, avec reprise.</translation>
  </message>
  <message>
   <source>Items: a STAC ItemCollection (file or URL), an item, or a raster. Results lie in the folder as parts, one a scene; run it again to go on.</source>
   <translation>Éléments : une ItemCollection STAC (fichier ou URL), un item ou un raster. Les résultats sont dans le dossier, une part par scène ; relancez pour continuer.</translation>
  </message>
  <message>
   <source>STAC items: file or URL</source>
   <translation>Éléments STAC : fichier ou URL</translation>
  </message>
  <message>
   <source>Task</source>
   <translation>Tâche</translation>
  </message>
  <message>
   <source>What to look for, or the question</source>
   <translation>Quoi chercher, ou la question</translation>
  </message>
  <message>
   <source>Model pack</source>
   <translation>Paquet de modèle</translation>
  </message>
  <message>
   <source>Folder</source>
   <translation>Dossier</translation>
  </message>
  <message>
   <source>Say what to look for, or type the question.</source>
   <translation>Dites quoi chercher, ou tapez la question.</translation>
  </message>
  <message>
   <source>Cancelled; what was done is taken up again.</source>
   <translation>Annulé ; ce qui est fait sera repris.</translation>
  </message>
  <message>
   <source>The engine has no command “{name}”; update it in the options.</source>
   <translation>Le moteur n’a pas de commande « {name} » ; mettez-le à jour dans les options.</translation>
  </message>
  <message>
   <source>Results are GeoPackages; choose a file that ends in .gpkg instead of {path}.</source>
   <translation>Les résultats sont des GeoPackages ; choisissez un fichier en .gpkg au lieu de {path}.</translation>
  </message>
  <message>
   <source>There is no folder {folder}; make it, or choose another.</source>
   <translation>Le dossier {folder} n’existe pas ; créez-le ou choisissez-en un autre.</translation>
  </message>
  <message>
   <source>The folder {folder} cannot be written; choose another.</source>
   <translation>Impossible d’écrire dans le dossier {folder} ; choisissez-en un autre.</translation>
  </message>
  <message>
   <source>Cancelled; no file was written.</source>
   <translation>Annulé ; aucun fichier n’a été écrit.</translation>
  </message>
  <message>
   <source>{tiles} tiles; {model} on {provider}.</source>
   <translation>{tiles} tuiles ; {model} sur {provider}.</translation>
  </message>
  <message>
   <source>Tile {tile}: {message}</source>
   <translation>Tuile {tile} : {message}</translation>
  </message>
  <message>
   <source>Waiting for {n} other runs to end.</source>
   <translation>En attente de la fin de {n} autres exécutions.</translation>
  </message>
  <message>
   <source>Describe a scene</source>
   <translation>Décrire une scène</translation>
  </message>
  <message>
   <source>Caption, scene class and counts of what the model knows, for every tile.</source>
   <translation>Légende, classe de scène et comptages de ce que le modèle connaît, pour chaque tuile.</translation>
  </message>
  <message>
   <source>Caption a scene</source>
   <translation>Légender une scène</translation>
  </message>
  <message>
   <source>A sentence or two about each tile.</source>
   <translation>Une phrase ou deux sur chaque tuile.</translation>
  </message>
  <message>
   <source>Classify a scene</source>
   <translation>Classer une scène</translation>
  </message>
  <message>
   <source>One scene class per tile, from the classes the model knows.</source>
   <translation>Une classe de scène par tuile, parmi celles que le modèle connaît.</translation>
  </message>
  <message>
   <source>Count objects</source>
   <translation>Compter des objets</translation>
  </message>
  <message>
   <source>The number of objects of a class per tile, and a total that says what it covers.</source>
   <translation>Le nombre d’objets d’une classe par tuile, et un total qui dit ce qu’il couvre.</translation>
  </message>
  <message>
   <source>Locate objects</source>
   <translation>Localiser des objets</translation>
  </message>
  <message>
   <source>A polygon around each object of a class, merged across the seams of tiles.</source>
   <translation>Un polygone autour de chaque objet d’une classe, fusionné à travers les bords des tuiles.</translation>
  </message>
  <message>
   <source>Is it there?</source>
   <translation>Y en a-t-il ?</translation>
  </message>
  <message>
   <source>Yes, no, or an honest refusal, for every tile.</source>
   <translation>Oui, non, ou un refus honnête, pour chaque tuile.</translation>
  </message>
  <message>
   <source>Ask a scene a question</source>
   <translation>Poser une question à une scène</translation>
  </message>
  <message>
   <source>A question in your own words, answered for every tile.</source>
   <translation>Une question dans vos mots, avec une réponse pour chaque tuile.</translation>
  </message>
  <message>
   <source>Search tiles by text</source>
   <translation>Chercher des tuiles par un texte</translation>
  </message>
  <message>
   <source>The tiles that look most like a sentence, best first.</source>
   <translation>Les tuiles qui ressemblent le plus à une phrase, la meilleure d’abord.</translation>
  </message>
  <message>
   <source>Looks like</source>
   <translation>Ressemble à</translation>
  </message>
  <message>
   <source>How many tiles</source>
   <translation>Combien de tuiles</translation>
  </message>
  <message>
   <source>Tiles found</source>
   <translation>Tuiles trouvées</translation>
  </message>
  <message>
   <source>Say what to look for, for example: a harbour with ships</source>
   <translation>Dites quoi chercher, par exemple : a harbour with ships</translation>
  </message>
  <message>
   <source>Tile</source>
   <translation>Tuile</translation>
  </message>
  <message>
   <source>Answer</source>
   <translation>Réponse</translation>
  </message>
  <message>
   <source>Sure</source>
   <translation>Sûr</translation>
  </message>
  <message>
   <source>Ask about this place…</source>
   <translation>Une question sur ce lieu…</translation>
  </message>
  <message>
   <source>Ask</source>
   <translation>Demander</translation>
  </message>
  <message>
   <source>There is no raster here to ask.</source>
   <translation>Il n’y a pas de raster à interroger ici.</translation>
  </message>
  <message>
   <source>Open one, or click on one that is there.</source>
   <translation>Ouvrez-en un, ou cliquez sur celui qui est là.</translation>
  </message>
  <message>
   <source>Asking…</source>
   <translation>Question en cours…</translation>
  </message>
  <message>
   <source>The answer could not be put on the map.</source>
   <translation>La réponse n’a pas pu être mise sur la carte.</translation>
  </message>
  <message>
   <source>Asked here</source>
   <translation>Demandé ici</translation>
  </message>
  <message>
   <source>Asked here: objects</source>
   <translation>Demandé ici : objets</translation>
  </message>
  <message>
   <source>Save the project in a folder that can be written.</source>
   <translation>Enregistrez le projet dans un dossier accessible en écriture.</translation>
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
   <translation>Interroger la carte</translation>
  </message>
  <message>
   <source>A run is going.</source>
   <translation>Une exécution est en cours.</translation>
  </message>
  <message>
   <source>Cancel it, or wait until it ends.</source>
   <translation>Annulez-la, ou attendez qu’elle finisse.</translation>
  </message>
  <message>
   <source>Cancelling…</source>
   <translation>Annulation…</translation>
  </message>
  <message>
   <source>Done, but another project is open now; the answers are in {path}.</source>
   <translation>Terminé, mais un autre projet est ouvert ; les réponses sont dans {path}.</translation>
  </message>
  <message>
   <source>The results cannot be opened: {path}.</source>
   <translation>Impossible d’ouvrir les résultats : {path}.</translation>
  </message>
  <message>
   <source>The file of this run is gone: {path}.</source>
   <translation>Le fichier de cette exécution a disparu : {path}.</translation>
  </message>
  <message>
   <source>Run it again.</source>
   <translation>Relancez-la.</translation>
  </message>
  <message>
   <source>Cancelled after {n} answers.</source>
   <translation>Annulé après {n} réponses.</translation>
  </message>
  <message>
   <source>The visible area does not reach the layer; zoom to it.</source>
   <translation>La zone visible n’atteint pas la couche ; zoomez dessus.</translation>
  </message>
  <message>
   <source>Select a polygon of a vector layer first.</source>
   <translation>Sélectionnez d’abord un polygone d’une couche vecteur.</translation>
  </message>
  <message>
   <source>Draw an area on the map first.</source>
   <translation>Dessinez d’abord une zone sur la carte.</translation>
  </message>
  <message>
   <source>Starting the engine…</source>
   <translation>Démarrage du moteur…</translation>
  </message>
  <message>
   <source>No engine is set up yet.</source>
   <translation>Aucun moteur n’est encore installé.</translation>
  </message>
  <message>
   <source>The engine has no model pack; set one up in the options, then try again.</source>
   <translation>Le moteur n’a pas de paquet de modèle ; installez-en un dans les options, puis réessayez.</translation>
  </message>
  <message>
   <source>The layer is drawn for the engine first.</source>
   <translation>La couche est d’abord dessinée pour le moteur.</translation>
  </message>
  <message>
   <source>Best device</source>
   <translation>Meilleur matériel</translation>
  </message>
  <message>
   <source>CPU</source>
   <translation>CPU</translation>
  </message>
  <message>
   <source>Visible area</source>
   <translation>Zone visible</translation>
  </message>
  <message>
   <source>Whole layer</source>
   <translation>Couche entière</translation>
  </message>
  <message>
   <source>Selected polygons</source>
   <translation>Polygones choisis</translation>
  </message>
  <message>
   <source>Drawn area</source>
   <translation>Zone dessinée</translation>
  </message>
  <message>
   <source>Ask here: click the map, or drag a rectangle</source>
   <translation>Demander ici : cliquez sur la carte ou tracez un rectangle</translation>
  </message>
  <message>
   <source>Ask here</source>
   <translation>Demander ici</translation>
  </message>
  <message>
   <source>Runs of this project</source>
   <translation>Exécutions de ce projet</translation>
  </message>
  <message>
   <source>Runs</source>
   <translation>Exécutions</translation>
  </message>
  <message>
   <source>Print layout with map, legend, totals and coverage</source>
   <translation>Mise en page avec carte, légende, totaux et couverture</translation>
  </message>
  <message>
   <source>Report</source>
   <translation>Rapport</translation>
  </message>
  <message>
   <source>Options: engine, test, set up</source>
   <translation>Options : moteur, test, installation</translation>
  </message>
  <message>
   <source>Open options…</source>
   <translation>Ouvrir les options…</translation>
  </message>
  <message>
   <source>Layer</source>
   <translation>Couche</translation>
  </message>
  <message>
   <source>Draw: drag a rectangle, or click corners and right click</source>
   <translation>Dessiner : tracez un rectangle, ou cliquez les sommets puis clic droit</translation>
  </message>
  <message>
   <source>Area</source>
   <translation>Zone</translation>
  </message>
  <message>
   <source>Model</source>
   <translation>Modèle</translation>
  </message>
  <message>
   <source>More</source>
   <translation>Plus</translation>
  </message>
  <message>
   <source>the model's own</source>
   <translation>celle du modèle</translation>
  </message>
  <message>
   <source>Margin of a tile</source>
   <translation>Marge d’une tuile</translation>
  </message>
  <message>
   <source>Show the model what I see</source>
   <translation>Montrer au modèle ce que je vois</translation>
  </message>
  <message>
   <source>Use the layer's own bands and stretch instead of the scene's percentiles</source>
   <translation>Utiliser les bandes et l’étirement de la couche au lieu des percentiles de la scène</translation>
  </message>
  <message>
   <source>Cancel</source>
   <translation>Annuler</translation>
  </message>
  <message>
   <source>runs on {device}</source>
   <translation>exécuté sur {device}</translation>
  </message>
  <message>
   <source>, {n} tiles a second</source>
   <translation>, {n} tuiles par seconde</translation>
  </message>
  <message>
   <source>A GPU was asked for, but the model runs on the CPU. Set up the engine with the GPU package, or choose “Best device”.</source>
   <translation>Un GPU était demandé, mais le modèle tourne sur le CPU. Installez le moteur avec le paquet GPU, ou choisissez « Meilleur matériel ».</translation>
  </message>
  <message>
   <source>{n} tiles</source>
   <translation>{n} tuiles</translation>
  </message>
  <message>
   <source>{done} of {total} tiles</source>
   <translation>{done} tuiles sur {total}</translation>
  </message>
  <message>
   <source>What</source>
   <translation>Quoi</translation>
  </message>
  <message>
   <source>Type a question…</source>
   <translation>Tapez une question…</translation>
  </message>
  <message>
   <source>car, ship…</source>
   <translation>car, ship…</translation>
  </message>
  <message>
   <source>Will be refused: {why}</source>
   <translation>Sera refusé : {why}</translation>
  </message>
  <message>
   <source>Starting…</source>
   <translation>Démarrage…</translation>
  </message>
  <message>
   <source>{n} a second</source>
   <translation>{n} par seconde</translation>
  </message>
  <message>
   <source>{time} left</source>
   <translation>reste {time}</translation>
  </message>
  <message>
   <source>about {time}</source>
   <translation>environ {time}</translation>
  </message>
  <message>
   <source>No runs in this project yet</source>
   <translation>Aucune exécution dans ce projet</translation>
  </message>
  <message>
   <source>Filter answers…</source>
   <translation>Filtrer les réponses…</translation>
  </message>
  <message>
   <source>Show or hide these rows</source>
   <translation>Montrer ou cacher ces lignes</translation>
  </message>
  <message>
   <source>There is no raster to ask; open one first.</source>
   <translation>Aucun raster à interroger ; ouvrez-en un d’abord.</translation>
  </message>
  <message>
   <source>Describe</source>
   <translation>Décrire</translation>
  </message>
  <message>
   <source>Caption</source>
   <translation>Légender</translation>
  </message>
  <message>
   <source>Classify</source>
   <translation>Classer</translation>
  </message>
  <message>
   <source>Count</source>
   <translation>Compter</translation>
  </message>
  <message>
   <source>Locate</source>
   <translation>Localiser</translation>
  </message>
  <message>
   <source>{n} h</source>
   <translation>{n} h</translation>
  </message>
  <message>
   <source>{tiles} tiles in {seconds} s</source>
   <translation>{tiles} tuiles en {seconds} s</translation>
  </message>
  <message>
   <source>under 1 s</source>
   <translation>moins de 1 s</translation>
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
   <translation>{share} % vu</translation>
  </message>
  <message>
   <source>possible {label}</source>
   <translation>{label} possible</translation>
  </message>
  <message>
   <source>{share} % refused</source>
   <translation>{share} % refusé</translation>
  </message>
  <message>
   <source>{share} % no data</source>
   <translation>{share} % sans données</translation>
  </message>
  <message>
   <source>{share} % failed</source>
   <translation>{share} % échoué</translation>
  </message>
  <message>
   <source>{share} % not reached</source>
   <translation>{share} % non atteint</translation>
  </message>
  <message>
   <source>{label}: not counted</source>
   <translation>{label} : non compté</translation>
  </message>
  <message>
   <source>{n} × {label}</source>
   <translation>{n} × {label}</translation>
  </message>
  <message>
   <source>{n} × {label} where it could be told</source>
   <translation>{n} × {label} là où on peut le dire</translation>
  </message>
  <message>
   <source>refused</source>
   <translation>refusé</translation>
  </message>
  <message>
   <source>An HTML picture of the part of its scene that a feature of rsvlm_geo lies on.</source>
   <translation>Une image HTML de la partie de la scène où se trouve une entité de rsvlm_geo.</translation>
  </message>
  <message>
   <source>Devices: {names}</source>
   <translation>Matériel : {names}</translation>
  </message>
  <message>
   <source>Speed: {n} tiles a second on {device}</source>
   <translation>Vitesse : {n} tuiles par seconde sur {device}</translation>
  </message>
  <message>
   <source>Engine</source>
   <translation>Moteur</translation>
  </message>
  <message>
   <source>The engine is a program of its own, in a Python of its own; QGIS's Python is never changed. Name the Python that has rsvlm_geo, or leave it empty to find one.</source>
   <translation>Le moteur est un programme à part, dans son propre Python ; celui de QGIS n’est jamais modifié. Indiquez le Python qui contient rsvlm_geo, ou laissez vide pour en trouver un.</translation>
  </message>
  <message>
   <source>Python of the engine</source>
   <translation>Python du moteur</translation>
  </message>
  <message>
   <source>all</source>
   <translation>tous</translation>
  </message>
  <message>
   <source>Threads</source>
   <translation>Fils d’exécution</translation>
  </message>
  <message>
   <source>Test</source>
   <translation>Tester</translation>
  </message>
  <message>
   <source>Press Test to see versions, devices, models and speed.</source>
   <translation>Tester montre les versions, le matériel, les modèles et la vitesse.</translation>
  </message>
  <message>
   <source>Set up an engine</source>
   <translation>Installer un moteur</translation>
  </message>
  <message>
   <source>Made with</source>
   <translation>Créé avec</translation>
  </message>
  <message>
   <source>Package, or a wheel's path</source>
   <translation>Paquet, ou chemin d’un wheel</translation>
  </message>
  <message>
   <source>Installed by</source>
   <translation>Installé par</translation>
  </message>
  <message>
   <source>the usual one</source>
   <translation>celui d’usage</translation>
  </message>
  <message>
   <source>Package index</source>
   <translation>Index de paquets</translation>
  </message>
  <message>
   <source>none, for example http://proxy:8080</source>
   <translation>aucun, par exemple http://proxy:8080</translation>
  </message>
  <message>
   <source>Proxy</source>
   <translation>Proxy</translation>
  </message>
  <message>
   <source>for a machine without network</source>
   <translation>pour une machine sans réseau</translation>
  </message>
  <message>
   <source>Folder of wheels</source>
   <translation>Dossier de wheels</translation>
  </message>
  <message>
   <source>Copy</source>
   <translation>Copier</translation>
  </message>
  <message>
   <source>Set up</source>
   <translation>Installer</translation>
  </message>
  <message>
   <source>Starting {python}…</source>
   <translation>Démarrage de {python}…</translation>
  </message>
  <message>
   <source>The engine is set up.</source>
   <translation>Le moteur est installé.</translation>
  </message>
  <message>
   <source>Model: {name} {version}</source>
   <translation>Modèle : {name} {version}</translation>
  </message>
  <message>
   <source>none found</source>
   <translation>aucun trouvé</translation>
  </message>
  <message>
   <source>These commands are run, and no others:</source>
   <translation>Ces commandes sont exécutées, et aucune autre :</translation>
  </message>
  <message>
   <source>none</source>
   <translation>aucun</translation>
  </message>
  <message>
   <source>There is no file {path}; choose the engine's Python.</source>
   <translation>Le fichier {path} n’existe pas ; choisissez le Python du moteur.</translation>
  </message>
  <message>
   <source>Ask the map: describe, count, locate, ask</source>
   <translation>Interroger la carte : décrire, compter, localiser, demander</translation>
  </message>
  <message>
   <source>rsvlm_geo: ask an image of the Earth</source>
   <translation>rsvlm_geo : interroger une image de la Terre</translation>
  </message>
  <message>
   <source>Totals</source>
   <translation>Totaux</translation>
  </message>
  <message>
   <source>Answers by status</source>
   <translation>Réponses par statut</translation>
  </message>
  <message>
   <source>A total speaks only for the tiles that were answered; hatched tiles could not be told.</source>
   <translation>Un total ne vaut que pour les tuiles qui ont répondu ; pour les tuiles hachurées, on ne peut pas dire.</translation>
  </message>
  <message>
   <source>Scene: {name}</source>
   <translation>Scène : {name}</translation>
  </message>
  <message>
   <source>Model: {name}</source>
   <translation>Modèle : {name}</translation>
  </message>
  <message>
   <source>Run {run}, {when}</source>
   <translation>Exécution {run}, {when}</translation>
  </message>
  <message>
   <source>no folder can be written: {folders}</source>
   <translation>aucun dossier accessible en écriture : {folders}</translation>
  </message>
  <message>
   <source>Scene</source>
   <translation>Scène</translation>
  </message>
  <message>
   <source>Status</source>
   <translation>Statut</translation>
  </message>
  <message>
   <source>Value</source>
   <translation>Valeur</translation>
  </message>
  <message>
   <source>Unit</source>
   <translation>Unité</translation>
  </message>
  <message>
   <source>Confidence</source>
   <translation>Confiance</translation>
  </message>
  <message>
   <source>Why refused</source>
   <translation>Raison du refus</translation>
  </message>
  <message>
   <source>Objects in the tile</source>
   <translation>Objets dans la tuile</translation>
  </message>
  <message>
   <source>Ground sampling distance, m</source>
   <translation>Résolution au sol, m</translation>
  </message>
  <message>
   <source>Share of valid pixels</source>
   <translation>Part de pixels valides</translation>
  </message>
  <message>
   <source>Time, ms</source>
   <translation>Temps, ms</translation>
  </message>
  <message>
   <source>Acquired</source>
   <translation>Acquis le</translation>
  </message>
  <message>
   <source>Object</source>
   <translation>Objet</translation>
  </message>
  <message>
   <source>Class</source>
   <translation>Classe</translation>
  </message>
  <message>
   <source>Score</source>
   <translation>Score</translation>
  </message>
  <message>
   <source>Area, m²</source>
   <translation>Surface, m²</translation>
  </message>
  <message>
   <source>cannot be told</source>
   <translation>on ne peut pas dire</translation>
  </message>
  <message>
   <source>no confidence given</source>
   <translation>pas de confiance indiquée</translation>
  </message>
  <message>
   <source>confidence</source>
   <translation>confiance</translation>
  </message>
  <message>
   <source>Answers of a model, tile by tile; each says whether to believe it.</source>
   <translation>Réponses d’un modèle, tuile par tuile ; chacune dit si on peut la croire.</translation>
  </message>
  <message>
   <source>The plugin's algorithms are not there; restart QGIS.</source>
   <translation>Les algorithmes de l’extension sont absents ; redémarrez QGIS.</translation>
  </message>
  <message>
   <source>No file was written; the finished tiles are taken up again.</source>
   <translation>Aucun fichier n’a été écrit ; les tuiles terminées seront reprises.</translation>
  </message>
  <message>
   <source>The run failed; see the log panel.</source>
   <translation>L’exécution a échoué ; voir le journal.</translation>
  </message>
  <message>
   <source>Open Settings ▸ Options ▸ rsvlm_geo and press Test or Set up.</source>
   <translation>Ouvrez Préférences ▸ Options ▸ rsvlm_geo et appuyez sur Tester ou Installer.</translation>
  </message>
  <message>
   <source>Choose another output file, or free the disk; close the file if another program has it.</source>
   <translation>Choisissez un autre fichier de sortie ou libérez le disque ; fermez le fichier si un autre programme l’utilise.</translation>
  </message>
  <message>
   <source>Set its CRS: right click the layer ▸ Layer CRS ▸ Set Layer CRS.</source>
   <translation>Définissez son SCR : clic droit sur la couche ▸ SCR de la couche ▸ Définir le SCR.</translation>
  </message>
  <message>
   <source>The file was moved or removed; repair the layer's data source.</source>
   <translation>Le fichier a été déplacé ou supprimé ; réparez la source de données de la couche.</translation>
  </message>
  <message>
   <source>Please report this, with the text of the log panel.</source>
   <translation>Merci de le signaler, avec le texte du journal.</translation>
  </message>
  <message>
   <source>no engine is set up yet</source>
   <translation>aucun moteur n’est encore installé</translation>
  </message>
  <message>
   <source>The engine does not fit this plugin: {detail}.</source>
   <translation>Le moteur ne convient pas à cette extension : {detail}.</translation>
  </message>
  <message>
   <source>Update it: Settings ▸ Options ▸ rsvlm_geo ▸ Set up.</source>
   <translation>Mettez-le à jour : Préférences ▸ Options ▸ rsvlm_geo ▸ Installer.</translation>
  </message>
  <message>
   <source>The engine does not start: {detail}.</source>
   <translation>Le moteur ne démarre pas : {detail}.</translation>
  </message>
  <message>
   <source>The engine stopped in the middle: {detail}.</source>
   <translation>Le moteur s’est arrêté en cours de route : {detail}.</translation>
  </message>
  <message>
   <source>Nothing was written. Run it again; the log panel has the engine's last words.</source>
   <translation>Rien n’a été écrit. Relancez ; le journal contient les derniers mots du moteur.</translation>
  </message>
  <message>
   <source>This Python has no rsvlm_geo in it: {path}.</source>
   <translation>Ce Python ne contient pas rsvlm_geo : {path}.</translation>
  </message>
  <message>
   <source>The layer “{name}” cannot be read; repair its data source.</source>
   <translation>La couche « {name} » est illisible ; réparez sa source de données.</translation>
  </message>
  <message>
   <source>The layer “{name}” has no CRS, so answers have no place on the map; set it with right click ▸ Layer CRS ▸ Set Layer CRS.</source>
   <translation>La couche « {name} » n’a pas de SCR, les réponses n’ont donc pas de place sur la carte ; définissez-le par clic droit ▸ SCR de la couche ▸ Définir le SCR.</translation>
  </message>
  <message>
   <source>The file of “{name}” is gone: {path}; repair its data source.</source>
   <translation>Le fichier de « {name} » a disparu : {path} ; réparez sa source de données.</translation>
  </message>
  <message>
   <source>The area is {width} × {height} pixels at {gsd} m; choose a smaller area or a larger ground sampling distance.</source>
   <translation>La zone fait {width} × {height} pixels à {gsd} m ; choisissez une zone plus petite ou une résolution plus grossière.</translation>
  </message>
  <message>
   <source>Cannot write {path}; free the disk or its folder.</source>
   <translation>Impossible d’écrire {path} ; libérez le disque ou son dossier.</translation>
  </message>
  <message>
   <source>The layer “{name}” gave no picture of this area; check its connection and its scale limits.</source>
   <translation>La couche « {name} » n’a donné aucune image de cette zone ; vérifiez sa connexion et ses limites d’échelle.</translation>
  </message>
  <message>
   <source>answered</source>
   <translation>répondu</translation>
  </message>
  <message>
   <source>unreadable</source>
   <translation>illisible</translation>
  </message>
  <message>
   <source>no data</source>
   <translation>sans données</translation>
  </message>
  <message>
   <source>failed</source>
   <translation>échoué</translation>
  </message>
  <message>
   <source>not visible</source>
   <translation>pas visible</translation>
  </message>
  <message>
   <source>no colour in the image</source>
   <translation>pas de couleur dans l’image</translation>
  </message>
  <message>
   <source>too coarse to tell</source>
   <translation>trop grossier pour le dire</translation>
  </message>
  <message>
   <source>wrong kind of sensor</source>
   <translation>mauvais type de capteur</translation>
  </message>
  <message>
   <source>not sure enough</source>
   <translation>pas assez sûr</translation>
  </message>
  <message>
   <source>outside what the model knows</source>
   <translation>hors de ce que le modèle connaît</translation>
  </message>
 </context>
</TS>
