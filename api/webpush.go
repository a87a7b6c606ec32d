package api

import (
	"context"

	"doorstep"
)

// GetWebPushKey implements GET /v1/push/webpush-key.
func (s *Server) GetWebPushKey(context.Context, GetWebPushKeyRequestObject) (GetWebPushKeyResponseObject, error) {
	if s.WebPushKey == "" {
		return nil, doorstep.NotFound("key", "webpush")
	}
	return GetWebPushKey200JSONResponse{Key: s.WebPushKey}, nil
}
