package api

import (
	"context"
	"log/slog"
	"time"

	"github.com/labstack/echo/v4"

	"doorstep"
	"doorstep/api/replay"
	"doorstep/push"
)

// Config is what the HTTP interface is made of. Every field is needed.
type Config struct {
	Operations StrictServerInterface
	Tokens     Authenticator
	Replays    replay.Store
	Follow     Followed
	Dropped    func(push.Drop)             // told, for metrics, of streams that the server ended
	Ready      func(context.Context) error // why it cannot serve, nil if it can
	Log        *slog.Logger
	Now        func() time.Time
	NewID      func() string  // for requests and claims; never seen as an id of a resource
	Draw       func() float64 // from [0, 1)
}

// New routes the contract, its documentation and the health checks. The caller
// may add further routes: they answer errors as problems too.
func New(cfg Config) *echo.Echo {
	e := echo.New()
	e.HTTPErrorHandler = errorHandler(cfg.Log)
	e.Binder = strictJSON{}
	e.Pre(identify(cfg.NewID), recoverPanics, guard, readableURL)

	keys := &idempotent{replays: cfg.Replays, now: cfg.Now, newID: cfg.NewID, log: cfg.Log}
	chains := make(map[string][]echo.MiddlewareFunc, len(admits))
	for id, roles := range admits {
		chains[id] = chain(cfg.Tokens, keys, id, roles)
	}
	RegisterHandlersWithOptions(e, NewStrictHandler(cfg.Operations, nil), RegisterHandlersOptions{
		OperationMiddlewares: chains,
	})
	inboxes := streams{follow: cfg.Follow, dropped: cfg.Dropped, tokens: cfg.Tokens, draw: cfg.Draw}
	e.GET("/v1/me/alerts/stream", inboxes.serve, chains["streamMyAlerts"]...)
	registerDocs(e)
	registerHealth(e, cfg.Ready)
	return e
}

// chain is what stands before an operation: the caller is known and admitted
// before a byte of the body is read.
func chain(tokens Authenticator, keys *idempotent, id string, roles []doorstep.Role) []echo.MiddlewareFunc {
	if batches[id] {
		return []echo.MiddlewareFunc{admit(tokens, roles), readBody(maxBatch)}
	}
	if keyed[id] {
		return []echo.MiddlewareFunc{admit(tokens, roles), readBody(maxBody)}
	}
	return []echo.MiddlewareFunc{admit(tokens, roles), readBody(maxBody), keys.operation(id)}
}
