package vault

import (
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// LogKey signs logs and bundles of evidence. Its public half is the one string
// that a reader needs.
type LogKey struct {
	note.Signer
	Public string // as note.NewVerifier takes it: "name+hash+key"
}

// LogKeys are those that ever signed, the newest first, all of one name.
func (v *Vault) LogKeys() []LogKey { return v.logKeys }

// firstLogSeed derives the seed of the first key from the hash key, so that old
// key files and nodes with copies of one file agree on it with nothing to write.
// Later keys are drawn, and stand in the file.
func (v *Vault) firstLogSeed() ([]byte, error) {
	seed, err := v.prf.ComputePrimaryPRF([]byte("log key\x00"), ed25519.SeedSize)
	if err != nil {
		return nil, fmt.Errorf("first log key: %w", err)
	}
	return seed, nil
}

// logKeyName is of the key set, not of one key: logs are named after it.
func (v *Vault) logKeyName() string { return "doorstep-" + v.Hash("log key name", "")[:8] }

// openLogKeys makes the keys of the seeds in a file, the newest first, and the
// first one.
func (v *Vault) openLogKeys(later [][]byte) error {
	first, err := v.firstLogSeed()
	if err != nil {
		return err
	}
	for _, seed := range append(later, first) {
		if len(seed) != ed25519.SeedSize {
			return errors.New("log key: not of its size")
		}
		key, err := newLogKey(v.logKeyName(), seed)
		if err != nil {
			return err
		}
		v.logKeys = append(v.logKeys, key)
	}
	return nil
}

func newLogKey(name string, seed []byte) (key LogKey, err error) {
	private, public, err := note.GenerateKey(strings.NewReader(string(seed)), name)
	if err != nil {
		return key, fmt.Errorf("log key: %w", err)
	}
	key.Public = public
	if key.Signer, err = note.NewSigner(private); err != nil {
		return key, fmt.Errorf("log key: %w", err)
	}
	return key, nil
}

// AddLogKey gives a key file with one more key, which signs from now on; the one
// before goes on signing beside it.
func AddLogKey(file []byte, random io.Reader) ([]byte, error) {
	if _, err := Open(file); err != nil {
		return nil, err
	}
	var keys keyFile
	if err := json.Unmarshal(file, &keys); err != nil {
		return nil, fmt.Errorf("key file is not readable: %w", err)
	}
	seed := make([]byte, ed25519.SeedSize)
	if _, err := io.ReadFull(random, seed); err != nil {
		return nil, fmt.Errorf("draw a log key: %w", err)
	}
	keys.Log = append([][]byte{seed}, keys.Log...)
	return json.MarshalIndent(keys, "", "  ")
}
