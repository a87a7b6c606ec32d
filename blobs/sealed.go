package blobs

import (
	"context"

	"doorstep/photos"
	"doorstep/vault"
)

// Sealed keeps blobs in a store, a Folder or a bucket of package s3, that sees
// sealed bytes only. A blob under another's name, or with a changed byte, does
// not open.
type Sealed struct {
	Store photos.Blobs
	Vault *vault.Vault
}

func place(name string) vault.Place { return vault.Place{Table: "blob", Column: "body", Row: name} }

// Put seals a blob and keeps it.
func (s Sealed) Put(ctx context.Context, name string, body []byte) error {
	sealed, err := s.Vault.Seal(body, place(name))
	if err != nil {
		return err
	}
	return s.Store.Put(ctx, name, sealed)
}

// Get reads a blob and opens it.
func (s Sealed) Get(ctx context.Context, name string) ([]byte, error) {
	sealed, err := s.Store.Get(ctx, name)
	if err != nil {
		return nil, err
	}
	return s.Vault.Open(sealed, place(name))
}

// Delete removes a blob.
func (s Sealed) Delete(ctx context.Context, name string) error { return s.Store.Delete(ctx, name) }

// IsCurrent says whether a blob was sealed with the key that seals now.
func (s Sealed) IsCurrent(ctx context.Context, name string) (bool, error) {
	sealed, err := s.Store.Get(ctx, name)
	return err == nil && s.Vault.IsCurrent(sealed), err
}
