<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="zh_CN" sourcelanguage="en">
 <context>
  <name>rsvlm_geo</name>
  <message>
   <source>Ask a scene</source>
   <translation>询问一景影像</translation>
  </message>
  <message>
   <source>Drawing the layer for the engine; its provider's terms apply.</source>
   <translation>正在为引擎绘制图层；其提供者的条款适用。</translation>
  </message>
  <message>
   <source>The scene is cut into tiles; each is shown to the model and its answer becomes a polygon. An answer is &lt;b&gt;answered&lt;/b&gt;, &lt;b&gt;refused&lt;/b&gt; (with the reason), &lt;b&gt;unreadable&lt;/b&gt;, &lt;b&gt;nodata&lt;/b&gt; or &lt;b&gt;failed&lt;/b&gt;; a total is only called complete when every tile with data was answered.</source>
   <translation>影像被切成图块，逐块给模型看，其回答成为多边形。回答分为&lt;b&gt;已回答&lt;/b&gt;、&lt;b&gt;拒答&lt;/b&gt;（附理由）、&lt;b&gt;无法解读&lt;/b&gt;、&lt;b&gt;无数据&lt;/b&gt;或&lt;b&gt;失败&lt;/b&gt;；只有每个有数据的图块都已回答，总数才称为完整。</translation>
  </message>
  <message>
   <source>The work is done by the engine, a process of its own; set it up in Settings ▸ Options ▸ rsvlm_geo.</source>
   <translation>工作由引擎这一独立进程完成；在 设置 ▸ 选项 ▸ rsvlm_geo 中安装。</translation>
  </message>
  <message>
   <source>No engine is set up yet. Open Settings ▸ Options ▸ rsvlm_geo and press Set up.</source>
   <translation>尚未安装引擎。请打开 设置 ▸ 选项 ▸ rsvlm_geo 并点击“安装”。</translation>
  </message>
  <message>
   <source>The engine's Python is not there: {path}. Open Settings ▸ Options ▸ rsvlm_geo and choose another.</source>
   <translation>引擎的 Python 不存在：{path}。请在 设置 ▸ 选项 ▸ rsvlm_geo 中另选一个。</translation>
  </message>
  <message>
   <source>Raster layer</source>
   <translation>栅格图层</translation>
  </message>
  <message>
   <source>Extent to ask about</source>
   <translation>询问的范围</translation>
  </message>
  <message>
   <source>Polygons to ask about</source>
   <translation>询问的多边形</translation>
  </message>
  <message>
   <source>Model pack (name or folder; empty: the default)</source>
   <translation>模型包（名称或文件夹；留空用默认）</translation>
  </message>
  <message>
   <source>Runs on</source>
   <translation>运行于</translation>
  </message>
  <message>
   <source>Margin of a tile, metres (0: the model's own)</source>
   <translation>图块边缘，米（0：模型自定）</translation>
  </message>
  <message>
   <source>Metres per pixel shown to the model (0: the model's own)</source>
   <translation>给模型看的每像素米数（0：模型自定）</translation>
  </message>
  <message>
   <source>Show the model what I see (the layer's own bands and stretch)</source>
   <translation>让模型看到我所见（图层自身的波段和拉伸）</translation>
  </message>
  <message>
   <source>When cancelled, keep what was done</source>
   <translation>取消时保留已完成的部分</translation>
  </message>
  <message>
   <source>Answers</source>
   <translation>回答</translation>
  </message>
  <message>
   <source>Tiles</source>
   <translation>图块</translation>
  </message>
  <message>
   <source>Share of the area seen, 0 to 1</source>
   <translation>已看面积占比，0 到 1</translation>
  </message>
  <message>
   <source>complete or incomplete</source>
   <translation>完整或不完整</translation>
  </message>
  <message>
   <source>Summary</source>
   <translation>摘要</translation>
  </message>
  <message>
   <source>Run</source>
   <translation>运行</translation>
  </message>
  <message>
   <source>Type a question, for example: is there a bridge?</source>
   <translation>请输入问题，例如：Is there a bridge?</translation>
  </message>
  <message>
   <source>Say what to look for, for example: car</source>
   <translation>请说明要找什么，例如：car</translation>
  </message>
  <message>
   <source>There is no raster to ask; open one and choose it as the layer.</source>
   <translation>没有可询问的栅格；请打开一个并选为图层。</translation>
  </message>
  <message>
   <source>Cancelled.</source>
   <translation>已取消。</translation>
  </message>
  <message>
   <source>{share} % of the picture came back empty and counts as nodata.</source>
   <translation>图像有 {share} % 返回为空，按无数据计。</translation>
  </message>
  <message>
   <source>What to look for (a class, or several separated by commas)</source>
   <translation>要找什么（一个类别，或用逗号分隔的多个）</translation>
  </message>
  <message>
   <source>Question</source>
   <translation>问题</translation>
  </message>
  <message>
   <source>Objects</source>
   <translation>对象</translation>
  </message>
  <message>
   <source>Total of the objects</source>
   <translation>对象总数</translation>
  </message>
  <message>
   <source>The layer of areas has no polygon in it; draw one, or leave it empty.</source>
   <translation>区域图层中没有多边形；请绘制一个或留空。</translation>
  </message>
  <message>
   <source>{n} of {total} answers are {status}.</source>
   <translation>{total} 个回答中有 {n} 个为{status}。</translation>
  </message>
  <message>
   <source>Ask many scenes (STAC)</source>
   <translation>询问多景影像（STAC）</translation>
  </message>
  <message>
   <source>Many scenes</source>
   <translation>多景影像</translation>
  </message>
  <message>
   <source>One question to every item of a STAC collection or folder, resumable.</source>
   <translation>对 STAC 集合或文件夹中的每一项提同一个问题，可续跑。</translation>
  </message>
  <message>
   <source>Items: a STAC ItemCollection (file or URL), an item, or a raster. Results lie in the folder as parts, one a scene; run it again to go on.</source>
   <translation>条目：STAC ItemCollection（文件或 URL）、单个条目或栅格。结果按景分部分存于文件夹；再次运行即可继续。</translation>
  </message>
  <message>
   <source>STAC items: file or URL</source>
   <translation>STAC 条目：文件或 URL</translation>
  </message>
  <message>
   <source>Task</source>
   <translation>任务</translation>
  </message>
  <message>
   <source>What to look for, or the question</source>
   <translation>要找什么，或问题</translation>
  </message>
  <message>
   <source>Model pack</source>
   <translation>模型包</translation>
  </message>
  <message>
   <source>Folder</source>
   <translation>文件夹</translation>
  </message>
  <message>
   <source>Say what to look for, or type the question.</source>
   <translation>请说明要找什么，或输入问题。</translation>
  </message>
  <message>
   <source>Cancelled; what was done is taken up again.</source>
   <translation>已取消；已完成的部分会继续使用。</translation>
  </message>
  <message>
   <source>The engine has no command “{name}”; update it in the options.</source>
   <translation>引擎没有命令“{name}”；请在选项中更新。</translation>
  </message>
  <message>
   <source>Results are GeoPackages; choose a file that ends in .gpkg instead of {path}.</source>
   <translation>结果为 GeoPackage；请选择以 .gpkg 结尾的文件，而不是 {path}。</translation>
  </message>
  <message>
   <source>There is no folder {folder}; make it, or choose another.</source>
   <translation>没有文件夹 {folder}；请创建或另选一个。</translation>
  </message>
  <message>
   <source>The folder {folder} cannot be written; choose another.</source>
   <translation>无法写入文件夹 {folder}；请另选一个。</translation>
  </message>
  <message>
   <source>Cancelled; no file was written.</source>
   <translation>已取消；没有写入文件。</translation>
  </message>
  <message>
   <source>{tiles} tiles; {model} on {provider}.</source>
   <translation>{tiles} 个图块；{model}，运行于 {provider}。</translation>
  </message>
  <message>
   <source>Tile {tile}: {message}</source>
   <translation>图块 {tile}：{message}</translation>
  </message>
  <message>
   <source>Waiting for {n} other runs to end.</source>
   <translation>正在等待其他 {n} 个任务结束。</translation>
  </message>
  <message>
   <source>Describe a scene</source>
   <translation>描述影像</translation>
  </message>
  <message>
   <source>Caption, scene class and counts of what the model knows, for every tile.</source>
   <translation>为每个图块给出说明、场景类别和模型所知对象的计数。</translation>
  </message>
  <message>
   <source>Caption a scene</source>
   <translation>为影像写说明</translation>
  </message>
  <message>
   <source>A sentence or two about each tile.</source>
   <translation>每个图块一两句话。</translation>
  </message>
  <message>
   <source>Classify a scene</source>
   <translation>影像分类</translation>
  </message>
  <message>
   <source>One scene class per tile, from the classes the model knows.</source>
   <translation>每个图块一个场景类别，取自模型已知的类别。</translation>
  </message>
  <message>
   <source>Count objects</source>
   <translation>统计对象</translation>
  </message>
  <message>
   <source>The number of objects of a class per tile, and a total that says what it covers.</source>
   <translation>每个图块中某类对象的数量，以及说明覆盖范围的总数。</translation>
  </message>
  <message>
   <source>Locate objects</source>
   <translation>定位对象</translation>
  </message>
  <message>
   <source>A polygon around each object of a class, merged across the seams of tiles.</source>
   <translation>某类每个对象的多边形，跨图块接缝合并。</translation>
  </message>
  <message>
   <source>Is it there?</source>
   <translation>有没有？</translation>
  </message>
  <message>
   <source>Yes, no, or an honest refusal, for every tile.</source>
   <translation>每个图块回答是、否，或诚实地拒答。</translation>
  </message>
  <message>
   <source>Ask a scene a question</source>
   <translation>向影像提问</translation>
  </message>
  <message>
   <source>A question in your own words, answered for every tile.</source>
   <translation>用自己的话提问，每个图块都有回答。</translation>
  </message>
  <message>
   <source>Search tiles by text</source>
   <translation>用文字搜索图块</translation>
  </message>
  <message>
   <source>The tiles that look most like a sentence, best first.</source>
   <translation>与一句话最相似的图块，最好的在前。</translation>
  </message>
  <message>
   <source>Looks like</source>
   <translation>看起来像</translation>
  </message>
  <message>
   <source>How many tiles</source>
   <translation>图块数量</translation>
  </message>
  <message>
   <source>Tiles found</source>
   <translation>找到的图块</translation>
  </message>
  <message>
   <source>Say what to look for, for example: a harbour with ships</source>
   <translation>请说明要找什么，例如：a harbour with ships</translation>
  </message>
  <message>
   <source>Tile</source>
   <translation>图块</translation>
  </message>
  <message>
   <source>Answer</source>
   <translation>回答</translation>
  </message>
  <message>
   <source>Sure</source>
   <translation>把握</translation>
  </message>
  <message>
   <source>Ask about this place…</source>
   <translation>询问此处…</translation>
  </message>
  <message>
   <source>Ask</source>
   <translation>提问</translation>
  </message>
  <message>
   <source>There is no raster here to ask.</source>
   <translation>这里没有可询问的栅格。</translation>
  </message>
  <message>
   <source>Open one, or click on one that is there.</source>
   <translation>请打开一个，或点击已有的栅格。</translation>
  </message>
  <message>
   <source>Asking…</source>
   <translation>正在询问…</translation>
  </message>
  <message>
   <source>The answer could not be put on the map.</source>
   <translation>无法把回答放到地图上。</translation>
  </message>
  <message>
   <source>Asked here</source>
   <translation>此处所问</translation>
  </message>
  <message>
   <source>Asked here: objects</source>
   <translation>此处所问：对象</translation>
  </message>
  <message>
   <source>Save the project in a folder that can be written.</source>
   <translation>请把项目保存到可写的文件夹。</translation>
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
   <translation>询问地图</translation>
  </message>
  <message>
   <source>A run is going.</source>
   <translation>已有任务在运行。</translation>
  </message>
  <message>
   <source>Cancel it, or wait until it ends.</source>
   <translation>请取消它，或等它结束。</translation>
  </message>
  <message>
   <source>Cancelling…</source>
   <translation>正在取消…</translation>
  </message>
  <message>
   <source>Done, but another project is open now; the answers are in {path}.</source>
   <translation>已完成，但现在打开的是另一个项目；回答在 {path}。</translation>
  </message>
  <message>
   <source>The results cannot be opened: {path}.</source>
   <translation>无法打开结果：{path}。</translation>
  </message>
  <message>
   <source>The file of this run is gone: {path}.</source>
   <translation>此次运行的文件已不存在：{path}。</translation>
  </message>
  <message>
   <source>Run it again.</source>
   <translation>请重新运行。</translation>
  </message>
  <message>
   <source>Cancelled after {n} answers.</source>
   <translation>在 {n} 个回答后取消。</translation>
  </message>
  <message>
   <source>The visible area does not reach the layer; zoom to it.</source>
   <translation>可见区域未覆盖图层；请缩放到图层。</translation>
  </message>
  <message>
   <source>Select a polygon of a vector layer first.</source>
   <translation>请先选择矢量图层中的一个多边形。</translation>
  </message>
  <message>
   <source>Draw an area on the map first.</source>
   <translation>请先在地图上绘制一个区域。</translation>
  </message>
  <message>
   <source>Starting the engine…</source>
   <translation>正在启动引擎…</translation>
  </message>
  <message>
   <source>No engine is set up yet.</source>
   <translation>尚未安装引擎。</translation>
  </message>
  <message>
   <source>The engine has no model pack; set one up in the options, then try again.</source>
   <translation>引擎没有模型包；请在选项中安装一个，然后重试。</translation>
  </message>
  <message>
   <source>The layer is drawn for the engine first.</source>
   <translation>先为引擎绘制图层。</translation>
  </message>
  <message>
   <source>Best device</source>
   <translation>最佳设备</translation>
  </message>
  <message>
   <source>CPU</source>
   <translation>CPU</translation>
  </message>
  <message>
   <source>Visible area</source>
   <translation>可见区域</translation>
  </message>
  <message>
   <source>Whole layer</source>
   <translation>整个图层</translation>
  </message>
  <message>
   <source>Selected polygons</source>
   <translation>选中的多边形</translation>
  </message>
  <message>
   <source>Drawn area</source>
   <translation>绘制的区域</translation>
  </message>
  <message>
   <source>Ask here: click the map, or drag a rectangle</source>
   <translation>在此提问：点击地图或拖出矩形</translation>
  </message>
  <message>
   <source>Ask here</source>
   <translation>在此提问</translation>
  </message>
  <message>
   <source>Runs of this project</source>
   <translation>此项目的运行记录</translation>
  </message>
  <message>
   <source>Runs</source>
   <translation>运行记录</translation>
  </message>
  <message>
   <source>Print layout with map, legend, totals and coverage</source>
   <translation>含地图、图例、总数和覆盖率的打印布局</translation>
  </message>
  <message>
   <source>Report</source>
   <translation>报告</translation>
  </message>
  <message>
   <source>Options: engine, test, set up</source>
   <translation>选项：引擎、测试、安装</translation>
  </message>
  <message>
   <source>Open options…</source>
   <translation>打开选项…</translation>
  </message>
  <message>
   <source>Layer</source>
   <translation>图层</translation>
  </message>
  <message>
   <source>Draw: drag a rectangle, or click corners and right click</source>
   <translation>绘制：拖出矩形，或点击顶点后右键结束</translation>
  </message>
  <message>
   <source>Area</source>
   <translation>区域</translation>
  </message>
  <message>
   <source>Model</source>
   <translation>模型</translation>
  </message>
  <message>
   <source>More</source>
   <translation>更多</translation>
  </message>
  <message>
   <source>the model's own</source>
   <translation>模型自定</translation>
  </message>
  <message>
   <source>Margin of a tile</source>
   <translation>图块边缘</translation>
  </message>
  <message>
   <source>Show the model what I see</source>
   <translation>让模型看到我所见</translation>
  </message>
  <message>
   <source>Use the layer's own bands and stretch instead of the scene's percentiles</source>
   <translation>使用图层自身的波段和拉伸，而不是影像的百分位数</translation>
  </message>
  <message>
   <source>Cancel</source>
   <translation>取消</translation>
  </message>
  <message>
   <source>runs on {device}</source>
   <translation>运行于 {device}</translation>
  </message>
  <message>
   <source>, {n} tiles a second</source>
   <translation>，每秒 {n} 个图块</translation>
  </message>
  <message>
   <source>A GPU was asked for, but the model runs on the CPU. Set up the engine with the GPU package, or choose “Best device”.</source>
   <translation>要求使用 GPU，但模型运行在 CPU 上。请用 GPU 软件包安装引擎，或选择“最佳设备”。</translation>
  </message>
  <message>
   <source>{n} tiles</source>
   <translation>{n} 个图块</translation>
  </message>
  <message>
   <source>{done} of {total} tiles</source>
   <translation>{done} / {total} 个图块</translation>
  </message>
  <message>
   <source>What</source>
   <translation>对象</translation>
  </message>
  <message>
   <source>Type a question…</source>
   <translation>输入问题…</translation>
  </message>
  <message>
   <source>car, ship…</source>
   <translation>car, ship…</translation>
  </message>
  <message>
   <source>Will be refused: {why}</source>
   <translation>将被拒答：{why}</translation>
  </message>
  <message>
   <source>Starting…</source>
   <translation>正在开始…</translation>
  </message>
  <message>
   <source>{n} a second</source>
   <translation>每秒 {n} 个</translation>
  </message>
  <message>
   <source>{time} left</source>
   <translation>还需 {time}</translation>
  </message>
  <message>
   <source>about {time}</source>
   <translation>约 {time}</translation>
  </message>
  <message>
   <source>No runs in this project yet</source>
   <translation>此项目尚无运行记录</translation>
  </message>
  <message>
   <source>Filter answers…</source>
   <translation>筛选回答…</translation>
  </message>
  <message>
   <source>Show or hide these rows</source>
   <translation>显示或隐藏这些行</translation>
  </message>
  <message>
   <source>There is no raster to ask; open one first.</source>
   <translation>没有可询问的栅格；请先打开一个。</translation>
  </message>
  <message>
   <source>Describe</source>
   <translation>描述</translation>
  </message>
  <message>
   <source>Caption</source>
   <translation>说明</translation>
  </message>
  <message>
   <source>Classify</source>
   <translation>分类</translation>
  </message>
  <message>
   <source>Count</source>
   <translation>计数</translation>
  </message>
  <message>
   <source>Locate</source>
   <translation>定位</translation>
  </message>
  <message>
   <source>{n} h</source>
   <translation>{n} 小时</translation>
  </message>
  <message>
   <source>{tiles} tiles in {seconds} s</source>
   <translation>{tiles} 个图块，用时 {seconds} 秒</translation>
  </message>
  <message>
   <source>under 1 s</source>
   <translation>不到 1 秒</translation>
  </message>
  <message>
   <source>{n} s</source>
   <translation>{n} 秒</translation>
  </message>
  <message>
   <source>{n} min</source>
   <translation>{n} 分钟</translation>
  </message>
  <message>
   <source>{share} % seen</source>
   <translation>已看 {share} %</translation>
  </message>
  <message>
   <source>possible {label}</source>
   <translation>可能的 {label}</translation>
  </message>
  <message>
   <source>{share} % refused</source>
   <translation>{share} % 拒答</translation>
  </message>
  <message>
   <source>{share} % no data</source>
   <translation>{share} % 无数据</translation>
  </message>
  <message>
   <source>{share} % failed</source>
   <translation>{share} % 失败</translation>
  </message>
  <message>
   <source>{share} % not reached</source>
   <translation>{share} % 未到达</translation>
  </message>
  <message>
   <source>{label}: not counted</source>
   <translation>{label}：未计数</translation>
  </message>
  <message>
   <source>{n} × {label}</source>
   <translation>{label} × {n}</translation>
  </message>
  <message>
   <source>{n} × {label} where it could be told</source>
   <translation>{label} × {n}（限可判断处）</translation>
  </message>
  <message>
   <source>refused</source>
   <translation>拒答</translation>
  </message>
  <message>
   <source>An HTML picture of the part of its scene that a feature of rsvlm_geo lies on.</source>
   <translation>rsvlm_geo 要素所在影像部分的 HTML 图片。</translation>
  </message>
  <message>
   <source>Devices: {names}</source>
   <translation>设备：{names}</translation>
  </message>
  <message>
   <source>Speed: {n} tiles a second on {device}</source>
   <translation>速度：在 {device} 上每秒 {n} 个图块</translation>
  </message>
  <message>
   <source>Engine</source>
   <translation>引擎</translation>
  </message>
  <message>
   <source>The engine is a program of its own, in a Python of its own; QGIS's Python is never changed. Name the Python that has rsvlm_geo, or leave it empty to find one.</source>
   <translation>引擎是独立的程序，使用自己的 Python；QGIS 的 Python 从不改动。请指定装有 rsvlm_geo 的 Python，或留空自动查找。</translation>
  </message>
  <message>
   <source>Python of the engine</source>
   <translation>引擎的 Python</translation>
  </message>
  <message>
   <source>all</source>
   <translation>全部</translation>
  </message>
  <message>
   <source>Threads</source>
   <translation>线程</translation>
  </message>
  <message>
   <source>Test</source>
   <translation>测试</translation>
  </message>
  <message>
   <source>Press Test to see versions, devices, models and speed.</source>
   <translation>点击“测试”查看版本、设备、模型和速度。</translation>
  </message>
  <message>
   <source>Set up an engine</source>
   <translation>安装引擎</translation>
  </message>
  <message>
   <source>Made with</source>
   <translation>创建者</translation>
  </message>
  <message>
   <source>Package, or a wheel's path</source>
   <translation>软件包，或 wheel 的路径</translation>
  </message>
  <message>
   <source>Installed by</source>
   <translation>安装工具</translation>
  </message>
  <message>
   <source>the usual one</source>
   <translation>通常的索引</translation>
  </message>
  <message>
   <source>Package index</source>
   <translation>软件包索引</translation>
  </message>
  <message>
   <source>none, for example http://proxy:8080</source>
   <translation>无，例如 http://proxy:8080</translation>
  </message>
  <message>
   <source>Proxy</source>
   <translation>代理</translation>
  </message>
  <message>
   <source>for a machine without network</source>
   <translation>用于没有网络的机器</translation>
  </message>
  <message>
   <source>Folder of wheels</source>
   <translation>wheel 文件夹</translation>
  </message>
  <message>
   <source>Copy</source>
   <translation>复制</translation>
  </message>
  <message>
   <source>Set up</source>
   <translation>安装</translation>
  </message>
  <message>
   <source>Starting {python}…</source>
   <translation>正在启动 {python}…</translation>
  </message>
  <message>
   <source>The engine is set up.</source>
   <translation>引擎已安装。</translation>
  </message>
  <message>
   <source>Model: {name} {version}</source>
   <translation>模型：{name} {version}</translation>
  </message>
  <message>
   <source>none found</source>
   <translation>未找到</translation>
  </message>
  <message>
   <source>These commands are run, and no others:</source>
   <translation>只会运行以下命令：</translation>
  </message>
  <message>
   <source>none</source>
   <translation>无</translation>
  </message>
  <message>
   <source>There is no file {path}; choose the engine's Python.</source>
   <translation>没有文件 {path}；请选择引擎的 Python。</translation>
  </message>
  <message>
   <source>Ask the map: describe, count, locate, ask</source>
   <translation>询问地图：描述、计数、定位、提问</translation>
  </message>
  <message>
   <source>rsvlm_geo: ask an image of the Earth</source>
   <translation>rsvlm_geo：询问地球影像</translation>
  </message>
  <message>
   <source>Totals</source>
   <translation>总数</translation>
  </message>
  <message>
   <source>Answers by status</source>
   <translation>按状态统计的回答</translation>
  </message>
  <message>
   <source>A total speaks only for the tiles that were answered; hatched tiles could not be told.</source>
   <translation>总数只代表已回答的图块；画斜线的图块无法判断。</translation>
  </message>
  <message>
   <source>Scene: {name}</source>
   <translation>影像：{name}</translation>
  </message>
  <message>
   <source>Model: {name}</source>
   <translation>模型：{name}</translation>
  </message>
  <message>
   <source>Run {run}, {when}</source>
   <translation>运行 {run}，{when}</translation>
  </message>
  <message>
   <source>no folder can be written: {folders}</source>
   <translation>没有可写的文件夹：{folders}</translation>
  </message>
  <message>
   <source>Scene</source>
   <translation>影像</translation>
  </message>
  <message>
   <source>Status</source>
   <translation>状态</translation>
  </message>
  <message>
   <source>Value</source>
   <translation>数值</translation>
  </message>
  <message>
   <source>Unit</source>
   <translation>单位</translation>
  </message>
  <message>
   <source>Confidence</source>
   <translation>置信度</translation>
  </message>
  <message>
   <source>Why refused</source>
   <translation>拒答原因</translation>
  </message>
  <message>
   <source>Objects in the tile</source>
   <translation>图块中的对象</translation>
  </message>
  <message>
   <source>Ground sampling distance, m</source>
   <translation>地面分辨率，米</translation>
  </message>
  <message>
   <source>Share of valid pixels</source>
   <translation>有效像素占比</translation>
  </message>
  <message>
   <source>Time, ms</source>
   <translation>时间，毫秒</translation>
  </message>
  <message>
   <source>Acquired</source>
   <translation>获取时间</translation>
  </message>
  <message>
   <source>Object</source>
   <translation>对象</translation>
  </message>
  <message>
   <source>Class</source>
   <translation>类别</translation>
  </message>
  <message>
   <source>Score</source>
   <translation>得分</translation>
  </message>
  <message>
   <source>Area, m²</source>
   <translation>面积，平方米</translation>
  </message>
  <message>
   <source>cannot be told</source>
   <translation>无法判断</translation>
  </message>
  <message>
   <source>no confidence given</source>
   <translation>未给出置信度</translation>
  </message>
  <message>
   <source>confidence</source>
   <translation>置信度</translation>
  </message>
  <message>
   <source>Answers of a model, tile by tile; each says whether to believe it.</source>
   <translation>模型逐块的回答；每个回答都说明是否可信。</translation>
  </message>
  <message>
   <source>The plugin's algorithms are not there; restart QGIS.</source>
   <translation>插件的算法不可用；请重启 QGIS。</translation>
  </message>
  <message>
   <source>No file was written; the finished tiles are taken up again.</source>
   <translation>没有写入文件；已完成的图块会继续使用。</translation>
  </message>
  <message>
   <source>The run failed; see the log panel.</source>
   <translation>运行失败；请看日志面板。</translation>
  </message>
  <message>
   <source>Open Settings ▸ Options ▸ rsvlm_geo and press Test or Set up.</source>
   <translation>请打开 设置 ▸ 选项 ▸ rsvlm_geo，点击“测试”或“安装”。</translation>
  </message>
  <message>
   <source>Choose another output file, or free the disk; close the file if another program has it.</source>
   <translation>请另选输出文件或清理磁盘；若文件被其他程序打开，请关闭。</translation>
  </message>
  <message>
   <source>Set its CRS: right click the layer ▸ Layer CRS ▸ Set Layer CRS.</source>
   <translation>设置坐标系：右键图层 ▸ 图层坐标系 ▸ 设置图层坐标系。</translation>
  </message>
  <message>
   <source>The file was moved or removed; repair the layer's data source.</source>
   <translation>文件已移动或删除；请修复图层的数据源。</translation>
  </message>
  <message>
   <source>Please report this, with the text of the log panel.</source>
   <translation>请报告此问题，并附上日志面板的文字。</translation>
  </message>
  <message>
   <source>no engine is set up yet</source>
   <translation>尚未安装引擎</translation>
  </message>
  <message>
   <source>The engine does not fit this plugin: {detail}.</source>
   <translation>引擎与此插件不匹配：{detail}。</translation>
  </message>
  <message>
   <source>Update it: Settings ▸ Options ▸ rsvlm_geo ▸ Set up.</source>
   <translation>请更新：设置 ▸ 选项 ▸ rsvlm_geo ▸ 安装。</translation>
  </message>
  <message>
   <source>The engine does not start: {detail}.</source>
   <translation>引擎无法启动：{detail}。</translation>
  </message>
  <message>
   <source>The engine stopped in the middle: {detail}.</source>
   <translation>引擎中途停止：{detail}。</translation>
  </message>
  <message>
   <source>Nothing was written. Run it again; the log panel has the engine's last words.</source>
   <translation>没有写入任何内容。请重新运行；日志面板中有引擎最后的信息。</translation>
  </message>
  <message>
   <source>This Python has no rsvlm_geo in it: {path}.</source>
   <translation>此 Python 中没有 rsvlm_geo：{path}。</translation>
  </message>
  <message>
   <source>The layer “{name}” cannot be read; repair its data source.</source>
   <translation>无法读取图层“{name}”；请修复其数据源。</translation>
  </message>
  <message>
   <source>The layer “{name}” has no CRS, so answers have no place on the map; set it with right click ▸ Layer CRS ▸ Set Layer CRS.</source>
   <translation>图层“{name}”没有坐标系，回答在地图上没有位置；请用右键 ▸ 图层坐标系 ▸ 设置图层坐标系。</translation>
  </message>
  <message>
   <source>The file of “{name}” is gone: {path}; repair its data source.</source>
   <translation>“{name}”的文件不存在：{path}；请修复其数据源。</translation>
  </message>
  <message>
   <source>The area is {width} × {height} pixels at {gsd} m; choose a smaller area or a larger ground sampling distance.</source>
   <translation>区域在 {gsd} 米下为 {width} × {height} 像素；请选择更小的区域或更粗的分辨率。</translation>
  </message>
  <message>
   <source>Cannot write {path}; free the disk or its folder.</source>
   <translation>无法写入 {path}；请清理磁盘或文件夹。</translation>
  </message>
  <message>
   <source>The layer “{name}” gave no picture of this area; check its connection and its scale limits.</source>
   <translation>图层“{name}”没有给出此区域的图像；请检查其连接和比例限制。</translation>
  </message>
  <message>
   <source>answered</source>
   <translation>已回答</translation>
  </message>
  <message>
   <source>unreadable</source>
   <translation>无法解读</translation>
  </message>
  <message>
   <source>no data</source>
   <translation>无数据</translation>
  </message>
  <message>
   <source>failed</source>
   <translation>失败</translation>
  </message>
  <message>
   <source>not visible</source>
   <translation>不可见</translation>
  </message>
  <message>
   <source>no colour in the image</source>
   <translation>影像没有颜色</translation>
  </message>
  <message>
   <source>too coarse to tell</source>
   <translation>太粗，无法判断</translation>
  </message>
  <message>
   <source>wrong kind of sensor</source>
   <translation>传感器类型不对</translation>
  </message>
  <message>
   <source>not sure enough</source>
   <translation>把握不足</translation>
  </message>
  <message>
   <source>outside what the model knows</source>
   <translation>超出模型所知</translation>
  </message>
 </context>
</TS>
