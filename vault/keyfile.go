package vault

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Load opens the key set named by where: inline JSON if it begins with a brace,
// else a file. A file that is not there is made, for its owner only.
func Load(where string) (*Vault, error) {
	if strings.HasPrefix(strings.TrimSpace(where), "{") {
		return Open([]byte(where))
	}
	file, err := os.ReadFile(where)
	if errors.Is(err, fs.ErrNotExist) {
		file, err = createKeyFile(where)
	}
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
	tmp, err := os.CreateTemp(filepath.Dir(path), ".keys-*")
	if err != nil {
		return nil, err
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.Write(keys)
	if err := errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return nil, err
	}
	if err := os.Link(tmp.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	if err := errors.Join(dir.Sync(), dir.Close()); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
}
