// Package blobs keeps bytes by name, sealed, in a folder. Its sub-package s3
// keeps them in a bucket instead.
package blobs

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Folder keeps each blob in a file of its own, in 65,536 folders at most, which
// are named after the end of the blobs' names: ids of ours end in chance.
type Folder struct{ root string }

// OpenFolder keeps blobs under root, which is made when it is needed.
func OpenFolder(root string) Folder { return Folder{root} }

// shortest is the shortest name: two folders and a file are named after it.
const shortest = 5

func (f Folder) path(name string) (string, error) {
	if len(name) < shortest || strings.ContainsFunc(name, func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' }) {
		return "", fmt.Errorf("blob %q: not a name", name)
	}
	end := len(name)
	return filepath.Join(f.root, name[end-2:], name[end-4:end-2], name), nil
}

// unfinished ends the name of a file that is being written.
const unfinished = ".part"

// Put writes a blob so that after a power cut it is there whole or not at all.
func (f Folder) Put(_ context.Context, name string, body []byte) error {
	path, err := f.path(name)
	if err != nil {
		return err
	}
	inner := filepath.Dir(path)
	if err := os.MkdirAll(inner, 0o700); err != nil {
		return fmt.Errorf("blob %s: %w", name, err)
	}
	if err := writeSynced(path+unfinished, body); err != nil {
		return fmt.Errorf("blob %s: %w", name, err)
	}
	if err := os.Rename(path+unfinished, path); err != nil {
		return fmt.Errorf("blob %s: %w", name, err)
	}
	for _, folder := range []string{inner, filepath.Dir(inner), f.root, filepath.Dir(f.root)} { // each may be new
		if err := syncFolder(folder); err != nil {
			return fmt.Errorf("blob %s: %w", name, err)
		}
	}
	return nil
}

func writeSynced(path string, body []byte) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(body)
	return errors.Join(err, file.Sync(), file.Close())
}

func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// Get reads a blob.
func (f Folder) Get(_ context.Context, name string) ([]byte, error) {
	path, err := f.path(name)
	if err != nil {
		return nil, err
	}
	body, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("blob %s: %w", name, err)
	}
	return body, nil
}

// Delete removes a blob, written or half-written. One that is not there is no
// error.
func (f Folder) Delete(_ context.Context, name string) error {
	path, err := f.path(name)
	if err != nil {
		return err
	}
	for _, one := range []string{path, path + unfinished} {
		if err := os.Remove(one); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("blob %s: %w", name, err)
		}
	}
	return nil
}
