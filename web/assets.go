package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/labstack/echo/v4"

	"doorstep"
)

// asset is one file that pages load.
type asset struct {
	kind          string // content type
	etag          string
	plain, packed []byte // packed: by gzip
}

// assetSet is all of them under one version, the hash of their contents. The
// version is a folder of the address, so that modules find each other by
// relative names, and browsers keep a version for ever.
type assetSet struct {
	version string
	files   map[string]asset
}

// houseStyle are the files that every style begins with, in this order.
var houseStyle = []string{"assets/styles/tokens.css", "assets/styles/base.css", "assets/styles/parts.css"}

// styles are the house's style with what a page adds to it, in one file: a page
// that waits for one is drawn sooner than one that waits for three.
var styles = map[string][]string{
	"house.css":    nil,
	"courier.css":  {"assets/styles/courier.css"},
	"consumer.css": {"assets/styles/consumer.css"},
	"console.css":  {"assets/styles/console.css"},
	"figures.css":  {"vendor/uplot.min.css", "assets/styles/console.css"},
}

var assets = sync.OnceValue(func() assetSet {
	set := assetSet{files: map[string]asset{}}
	all := sha256.New()
	add := func(name string, content []byte) {
		fmt.Fprintf(all, "%s %d\n%s", name, len(content), content)
		set.files[name] = newAsset(name, content)
	}
	for _, folder := range []string{"assets", "vendor"} {
		must(fs.WalkDir(files, folder, func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !served(name) {
				return err
			}
			content, err := files.ReadFile(name)
			add(strings.TrimPrefix(name, "assets/"), content)
			return err
		}))
	}
	for _, name := range slices.Sorted(maps.Keys(styles)) {
		var style []byte
		for _, part := range slices.Concat(houseStyle, styles[name]) {
			content, err := files.ReadFile(part)
			must(err)
			style = append(style, content...)
		}
		add(name, style)
	}
	set.version = hex.EncodeToString(all.Sum(nil)[:8])
	return set
})

// served says whether a file is for browsers as it stands: licences and lists are
// for us, and styles are put together first.
func served(name string) bool { return kinds[path.Ext(name)] != "" && path.Ext(name) != ".css" }

// kinds do not depend on what the machine knows of file names.
var kinds = map[string]string{
	".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml",
	".png": "image/png", ".webmanifest": "application/manifest+json",
}

func newAsset(name string, content []byte) asset {
	sum := sha256.Sum256(content)
	var packed bytes.Buffer
	w, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	must(err)
	_, err = w.Write(content)
	must(err)
	must(w.Close())
	return asset{kind: kinds[path.Ext(name)], etag: `"` + hex.EncodeToString(sum[:8]) + `"`, plain: content, packed: packed.Bytes()}
}

// must is for what the program carries in itself.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

// assetURL is where browsers find an asset. One that is not there is a mistake
// of ours, which shows when the page is drawn.
func assetURL(name string) (string, error) {
	set := assets()
	if _, ok := set.files[name]; !ok {
		return "", fmt.Errorf("no asset %s", name)
	}
	return "/assets/" + set.version + "/" + name, nil
}

// sendAsset answers GET /assets/{version}/{name}. While versions change, a page
// may ask for another than ours: it gets ours, which it may not keep.
func sendAsset(c echo.Context) error {
	set := assets()
	a, ok := set.files[c.Param("*")]
	if !ok {
		return doorstep.NotFound("asset", c.Param("*"))
	}
	head := c.Response().Header()
	head.Set("ETag", a.etag)
	head.Set(echo.HeaderVary, echo.HeaderAcceptEncoding)
	if c.Param("version") == set.version {
		head.Set(echo.HeaderCacheControl, "public, max-age=31536000, immutable")
	} else {
		head.Set(echo.HeaderCacheControl, "no-cache")
	}
	if c.Request().Header.Get("If-None-Match") == a.etag {
		return c.NoContent(http.StatusNotModified)
	}
	if strings.Contains(c.Request().Header.Get(echo.HeaderAcceptEncoding), "gzip") {
		head.Set(echo.HeaderContentEncoding, "gzip")
		return c.Blob(http.StatusOK, a.kind, a.packed)
	}
	return c.Blob(http.StatusOK, a.kind, a.plain)
}
