package api

import (
	"bytes"
	"context"
	"fmt"
	"io"
)

// PutPhoto implements PUT /v1/photos/{sha256}.
func (s *Server) PutPhoto(ctx context.Context, req PutPhotoRequestObject) (PutPhotoResponseObject, error) {
	data, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, fmt.Errorf("read photo: %w", err)
	}
	at, err := s.Album.Add(ctx, actor(ctx), req.Sha256, data)
	return PutPhoto200JSONResponse{Sha256: req.Sha256, ArrivedAt: at}, err
}

// GetPhoto implements GET /v1/photos/{sha256}.
func (s *Server) GetPhoto(ctx context.Context, req GetPhotoRequestObject) (GetPhotoResponseObject, error) {
	picture, err := s.Album.Picture(ctx, actor(ctx), req.Sha256)
	if err != nil {
		return nil, err
	}
	return GetPhoto200ImageJpegResponse{
		Body: bytes.NewReader(picture), ContentLength: int64(len(picture)),
		Headers: GetPhoto200ResponseHeaders{
			CacheControl:          "private, max-age=300",
			ContentSecurityPolicy: "default-src 'none'; frame-ancestors 'none'; sandbox",
		},
	}, nil
}
