package metrics

import (
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/labstack/echo/v4"
)

// other stands for the route and method of whatever no route answers: strangers
// choose those.
const other = "other"

// Requests is middleware that counts and times requests by route pattern. It
// belongs on e, whose routes are known by the first request.
func (m *Metrics) Requests(e *echo.Echo) echo.MiddlewareFunc {
	type route struct{ method, path string }
	routes := sync.OnceValue(func() map[route]bool {
		known := map[route]bool{}
		for _, r := range e.Routes() {
			known[route{r.Method, r.Path}] = true
		}
		return known
	})
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			began := m.now()
			status := http.StatusInternalServerError // of a panic, which others turn into an answer
			defer func() {
				at := route{c.Request().Method, c.Path()}
				if !routes()[at] {
					at = route{other, other}
				}
				m.requests.WithLabelValues(at.method, at.path, strconv.Itoa(status/100)+"xx").Inc()
				// A stream lasts as long as a phone looks at it.
				if !strings.HasPrefix(c.Response().Header().Get(echo.HeaderContentType), "text/event-stream") {
					m.request.WithLabelValues(at.method, at.path).Observe(m.now().Sub(began).Seconds())
				}
			}()
			if err := next(c); err != nil {
				c.Error(err) // writes the answer, so that its status is known
			}
			status = c.Response().Status
			return nil
		}
	}
}
