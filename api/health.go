package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/labstack/echo/v4"

	"doorstep"
)

type health struct {
	Status string `json:"status"`
}

// registerHealth serves what a supervisor asks: /healthz whether the process
// is alive, /readyz whether it should get requests.
func registerHealth(e *echo.Echo, ready func(context.Context) error) {
	ok := func(c echo.Context) error { return c.JSON(http.StatusOK, health{Status: "ok"}) }
	e.GET("/healthz", ok)
	e.GET("/readyz", func(c echo.Context) error {
		if err := ready(c.Request().Context()); err != nil {
			return fmt.Errorf("not ready: %w", errors.Join(doorstep.ErrUnavailable, err))
		}
		return ok(c)
	})
}
