package vault

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Load opens the key set named by where as Read does. A file that is not there is
// made, for its owner only.
func Load(where string) (*Vault, error) {
	v, err := Read(where)
	if !errors.Is(err, fs.ErrNotExist) {
		return v, err
	}
	file, err := createKeyFile(where)
	if err != nil {
		return nil, fmt.Errorf("key file: %w", err)
	}
	return Open(file)
}

// Read opens the key set named by where: inline JSON if it begins with a brace,
// else a file. fs.ErrNotExist: it is not there.
func Read(where string) (*Vault, error) {
	if strings.HasPrefix(strings.TrimSpace(where), "{") {
		return Open([]byte(where))
	}
	file, err := os.ReadFile(where)
	if err != nil {
		return nil, fmt.Errorf("key file: %w", err)
	}
	return Open(file)
}

// createKeyFile writes fresh keys, durably, before anything is sealed with
// them. Of two processes that start at once, one's keys win and both use them:
// the link is made only if the name is still free.
func createKeyFile(path string) ([]byte, error) {
	keys, err := NewKeys()
	if err != nil {
		return nil, err
	}
	tmp, err := writeBeside(path, keys)
	if err != nil {
		return nil, err
	}
	defer os.Remove(tmp)
	if err := os.Link(tmp, path); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	if err := syncFolder(path); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
}

// ReplaceFile changes a key file: whoever reads it finds the old keys or the new
// ones, whole, also after a power cut.
func ReplaceFile(path string, change func(file []byte) ([]byte, error)) error {
	file, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("key file: %w", err)
	}
	if file, err = change(file); err != nil {
		return err
	}
	tmp, err := writeBeside(path, file)
	if err != nil {
		return fmt.Errorf("key file: %w", err)
	}
	defer os.Remove(tmp) // after the rename there is none
	if err := errors.Join(os.Rename(tmp, path), syncFolder(path)); err != nil {
		return fmt.Errorf("key file: %w", err)
	}
	return nil
}

// writeBeside writes a new file, durably and for its owner only, into the folder
// of another.
func writeBeside(path string, content []byte) (name string, err error) {
	tmp, err := os.CreateTemp(filepath.Dir(path), ".keys-*")
	if err != nil {
		return "", err
	}
	_, err = tmp.Write(content)
	if err := errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return "", errors.Join(err, os.Remove(tmp.Name()))
	}
	return tmp.Name(), nil
}

// syncFolder makes the names in a file's folder durable.
func syncFolder(path string) error {
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
