"""What strangers call their things. Each name holds a word that no page says by itself."""

NAMES = {
    "alpha": "www.alpha.example",
    "bravo": "bravo@evil.example",
    "charlie": "https://evil.example/charlie",
    "delta": "delta -> x <- y <-> z -- w",
    "echo": "echo >= x <= y ~= z",
    "foxtrot": ":material/delete: foxtrot",
    "golf": ":cat: golf :+1: :streamlit:",
    "hotel": ":red[hotel] :small[x] :kbd[k]",
    "india": "$x^2$ india $$y$$",
    "juliett": "<b>juliett</b><br><i>x",
    "kilo": "[kilo](https://evil.example) ![x](https://evil.example/x.png)",
    "lima": "**lima** _x_ `y` ~~z~~ ^1^",
    "mike": "1. mike",
    "november": "# november",
    "oscar": "&lt;oscar&gt; &copy;",
    "papa": "<script>window.hacked = 1</script>papa",
    "quebec": "<img src=x onerror=window.hacked=1>quebec",
    "romeo": "romeo %{x} {a} {b|c} C:\\dir\\",
    "sierra": "- sierra",
    "tango": "> tango",
}
