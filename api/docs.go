package api

import (
	"bytes"
	"compress/gzip"
	"embed"
	"html/template"
	"io"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"doorstep"
)

// swaggerUI holds swagger-ui-dist 5.35.0, compressed with gzip -9, its licence,
// and the files that are ours: index.html, start.js, house.css and problems.css.
//
//go:embed swaggerui
var swaggerUI embed.FS

//go:embed problems.html
var problemsHTML string

var problemsPage = template.Must(template.New("problems.html").Parse(problemsHTML))

// docsPolicy keeps the pages of /docs from asking anybody else for anything.
const docsPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
	"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// registerDocs serves the contract and the pages that explain it.
func registerDocs(e *echo.Echo) {
	e.GET("/openapi.yaml", func(c echo.Context) error {
		return c.Blob(http.StatusOK, "application/yaml", doorstep.OpenAPI)
	})
	e.GET("/docs", docsFile("index.html", "text/html; charset=utf-8"))
	e.GET("/docs/start.js", docsFile("start.js", "text/javascript; charset=utf-8"))
	e.GET("/docs/house.css", docsFile("house.css", "text/css; charset=utf-8"))
	e.GET("/docs/problems.css", docsFile("problems.css", "text/css; charset=utf-8"))
	e.GET("/docs/swagger-ui-bundle.js", docsFile("swagger-ui-bundle.js.gz", "text/javascript; charset=utf-8"))
	e.GET("/docs/swagger-ui.css", docsFile("swagger-ui.css.gz", "text/css; charset=utf-8"))
	e.GET("/docs/problems", func(c echo.Context) error {
		var page bytes.Buffer
		if err := problemsPage.Execute(&page, problemTitles); err != nil {
			return err
		}
		c.Response().Header().Set(echo.HeaderContentSecurityPolicy, docsPolicy)
		return c.HTMLBlob(http.StatusOK, page.Bytes())
	})
}

func docsFile(name, contentType string) echo.HandlerFunc {
	return func(c echo.Context) error {
		content, err := swaggerUI.ReadFile("swaggerui/" + name)
		if err != nil {
			return err
		}
		h := c.Response().Header()
		h.Set(echo.HeaderContentSecurityPolicy, docsPolicy)
		if !strings.HasSuffix(name, ".gz") {
			return c.Blob(http.StatusOK, contentType, content)
		}
		h.Set(echo.HeaderVary, echo.HeaderAcceptEncoding)
		if strings.Contains(c.Request().Header.Get(echo.HeaderAcceptEncoding), "gzip") {
			h.Set(echo.HeaderContentEncoding, "gzip")
			return c.Blob(http.StatusOK, contentType, content)
		}
		plain, err := gzip.NewReader(bytes.NewReader(content))
		if err != nil {
			return err
		}
		h.Set(echo.HeaderContentType, contentType)
		c.Response().WriteHeader(http.StatusOK)
		_, err = io.Copy(c.Response(), plain)
		return err
	}
}
