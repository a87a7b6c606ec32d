package vault

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// sealing is the seal key set in use.
type sealing struct {
	tink.AEAD
	prefix []byte // of all that the primary key sealed
	keys   int
	staged bool // the newest key does not seal yet
}

// tinkPrefix begins tink's ciphertexts; the key's id follows as four bytes.
const tinkPrefix = 1

func newSealing(h *keyset.Handle) (*sealing, error) {
	a, err := aead.New(h)
	if err != nil {
		return nil, fmt.Errorf("seal key: %w", err)
	}
	info := h.KeysetInfo()
	keys := info.GetKeyInfo()
	return &sealing{
		AEAD: a, prefix: binary.BigEndian.AppendUint32([]byte{tinkPrefix}, info.GetPrimaryKeyId()),
		keys: len(keys), staged: keys[len(keys)-1].GetKeyId() != info.GetPrimaryKeyId(),
	}, nil
}

// SealKeys is how many keys can open what is sealed.
func (v *Vault) SealKeys() int { return v.seal.Load().keys }

// Staged says whether the newest key does not seal yet.
func (v *Vault) Staged() bool { return v.seal.Load().staged }

// IsCurrent says whether a value was sealed with the key that seals now.
func (v *Vault) IsCurrent(sealed []byte) bool { return bytes.HasPrefix(sealed, v.seal.Load().prefix) }

// ErrOtherKeys refuses a key file whose hash key is another one: nothing could
// be found any more.
var ErrOtherKeys = errors.New("the key file belongs to other data: its fingerprint differs")

// Reload takes up the seal keys of a file that was rotated. What is under way
// ends with the keys it began with.
func (v *Vault) Reload(file []byte) error {
	fresh, err := Open(file)
	if err != nil {
		return err
	}
	if fresh.fingerprint != v.fingerprint {
		return ErrOtherKeys
	}
	v.seal.Store(fresh.seal.Load())
	return nil
}

// AddSealKey gives a key file with one more seal key, which opens and does not
// seal yet: every node must have it before one seals with it.
func AddSealKey(file []byte) ([]byte, error) {
	return changeSealKeys(file, func(m *keyset.Manager, _ []uint32, _ uint32) error {
		_, err := m.Add(aead.AES256GCMKeyTemplate())
		return err
	})
}

// UseNewestSealKey gives a key file whose newest seal key seals. The others go on
// opening what they sealed.
func UseNewestSealKey(file []byte) ([]byte, error) {
	return changeSealKeys(file, func(m *keyset.Manager, ids []uint32, _ uint32) error {
		return m.SetPrimary(ids[len(ids)-1])
	})
}

// DropOldSealKeys gives a key file without the keys before the one that seals. What
// they sealed can never be opened again. A staged key stays: a node may seal with it
// by now.
func DropOldSealKeys(file []byte) ([]byte, error) {
	return changeSealKeys(file, func(m *keyset.Manager, ids []uint32, primary uint32) error {
		for _, id := range ids {
			if id == primary {
				break
			}
			if err := m.Delete(id); err != nil {
				return err
			}
		}
		return nil
	})
}

// changeSealKeys hands the ids of the keys, the oldest first, and that of the one
// that seals.
func changeSealKeys(file []byte, change func(m *keyset.Manager, ids []uint32, primary uint32) error) ([]byte, error) {
	if _, err := Open(file); err != nil {
		return nil, err
	}
	var keys keyFile
	if err := json.Unmarshal(file, &keys); err != nil {
		return nil, fmt.Errorf("key file is not readable: %w", err)
	}
	seal, err := readKeyset(keys.Seal)
	if err != nil {
		return nil, err
	}
	var ids []uint32
	for _, k := range seal.KeysetInfo().GetKeyInfo() {
		ids = append(ids, k.GetKeyId())
	}
	m := keyset.NewManagerFromHandle(seal)
	if err := change(m, ids, seal.KeysetInfo().GetPrimaryKeyId()); err != nil {
		return nil, fmt.Errorf("seal keys: %w", err)
	}
	if keys.Seal, err = newKeyset(m.Handle()); err != nil {
		return nil, err
	}
	return json.MarshalIndent(keys, "", "  ")
}
