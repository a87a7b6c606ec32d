// Package vault keeps personal data unreadable at rest: it seals values with
// an AEAD key set that can be rotated, and turns what must be found again,
// such as a telephone number, into a keyed hash. It keeps the keys that sign the
// log, too.
package vault

import (
	"bytes"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"sync/atomic"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/prf"
)

// Vault holds the keys. It is safe for concurrent use.
type Vault struct {
	seal        atomic.Pointer[sealing]
	prf         *prf.Set
	fingerprint string
	logKeys     []LogKey
}

// keyFile is the key set as it is kept: two tink key sets in tink's own JSON, and
// the seeds of the log's keys but the first, the newest first. The hash key is
// never rotated, since what it hashed could not be found again.
type keyFile struct {
	Seal json.RawMessage `json:"seal"`
	Hash json.RawMessage `json:"hash"`
	Log  [][]byte        `json:"log,omitempty"`
}

// Place binds a sealed value to where it is kept, so that nobody can move it to
// another row or column unseen.
type Place struct{ Table, Column, Row string }

func (p Place) bytes() []byte { return []byte(p.Table + "|" + p.Column + "|" + p.Row) }

// hashLen is how much of a keyed hash is kept, in bytes: 128 bits do not
// collide among all the people there are.
const hashLen = 16

var hashText = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// NewKeys makes a fresh key set and returns the file to keep it in.
func NewKeys() ([]byte, error) {
	seal, err := newKeyset(keyset.NewHandle(aead.AES256GCMKeyTemplate()))
	if err != nil {
		return nil, err
	}
	hash, err := newKeyset(keyset.NewHandle(prf.HMACSHA256PRFKeyTemplate()))
	if err != nil {
		return nil, err
	}
	return json.MarshalIndent(keyFile{Seal: seal, Hash: hash}, "", "  ")
}

func newKeyset(h *keyset.Handle, err error) (json.RawMessage, error) {
	if err != nil {
		return nil, fmt.Errorf("make key set: %w", err)
	}
	var buf bytes.Buffer
	if err := insecurecleartextkeyset.Write(h, keyset.NewJSONWriter(&buf)); err != nil {
		return nil, fmt.Errorf("write key set: %w", err)
	}
	return buf.Bytes(), nil
}

// Open reads a key file.
func Open(file []byte) (*Vault, error) {
	var keys keyFile
	if err := json.Unmarshal(file, &keys); err != nil {
		return nil, fmt.Errorf("key file is not readable: %w", err)
	}
	seal, err := readKeyset(keys.Seal)
	if err != nil {
		return nil, err
	}
	hash, err := readKeyset(keys.Hash)
	if err != nil {
		return nil, err
	}
	v := &Vault{}
	sealing, err := newSealing(seal)
	if err != nil {
		return nil, err
	}
	v.seal.Store(sealing)
	if v.prf, err = prf.NewPRFSet(hash); err != nil {
		return nil, fmt.Errorf("hash key: %w", err)
	}
	v.fingerprint = v.Hash("fingerprint", "")
	if err := v.openLogKeys(keys.Log); err != nil {
		return nil, err
	}
	return v, nil
}

func readKeyset(raw json.RawMessage) (*keyset.Handle, error) {
	h, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(raw)))
	if err != nil {
		return nil, fmt.Errorf("key set is not readable: %w", err)
	}
	return h, nil
}

// Fingerprint tells two hash keys apart without giving either away. It stays
// the same when the seal key is rotated.
func (v *Vault) Fingerprint() string { return v.fingerprint }

// Seal encrypts plain for its place.
func (v *Vault) Seal(plain []byte, at Place) ([]byte, error) {
	sealed, err := v.seal.Load().Encrypt(plain, at.bytes())
	if err != nil {
		return nil, fmt.Errorf("seal %s.%s: %w", at.Table, at.Column, err)
	}
	return sealed, nil
}

// Open decrypts what was sealed for the same place.
func (v *Vault) Open(sealed []byte, at Place) ([]byte, error) {
	plain, err := v.seal.Load().Decrypt(sealed, at.bytes())
	if err != nil {
		return nil, fmt.Errorf("open %s.%s: %w", at.Table, at.Column, err)
	}
	return plain, nil
}

// Hash is the keyed hash of value for one purpose: 26 characters of a-z and
// 2-7. The same value has unrelated hashes for two purposes.
func (v *Vault) Hash(purpose, value string) string {
	in := make([]byte, 0, len(purpose)+1+len(value))
	in = append(append(append(in, purpose...), 0), value...)
	sum, err := v.prf.ComputePrimaryPRF(in, hashLen)
	if err != nil { // the length is a constant that the key allows
		panic(fmt.Sprintf("vault: keyed hash: %v", err))
	}
	return hashText.EncodeToString(sum)
}

// NewSecret draws 256 bits from random as a token's text, behind prefix.
func NewSecret(prefix string, random io.Reader) (string, error) {
	var b [32]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return "", fmt.Errorf("draw a secret: %w", err)
	}
	return prefix + base64.RawURLEncoding.EncodeToString(b[:]), nil
}

// HashSecret is how a token is kept: it has 256 bits of its own, so a plain
// SHA-256 gives nothing away.
func HashSecret(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
