package bundle

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/go-json-experiment/json"
	"golang.org/x/mod/sumdb/note"

	"doorstep/evidence"
)

// format names the form of bundles. It also keeps the signature of a manifest
// apart from that of a checkpoint, which begins with the log's origin.
const format = "doorstep/bundle/v1"

// manifest lists every other file of a bundle but its own signature.
type manifest struct {
	Format  string   `json:"format"`
	Case    string   `json:"case"`
	Created string   `json:"created"`          // of the checkpoint, RFC 3339
	Origin  string   `json:"origin"`           // of the log
	Size    int64    `json:"size"`             // of the log
	Keys    []string `json:"keys"`             // public, of all that signed: whoever knows one can check the others' signatures too
	Files   []listed `json:"files"`            // sorted by name
	Absent  []absent `json:"absent,omitempty"` // photos that the records declare and that are not there, sorted
}

type listed struct {
	Name   string `json:"name"`
	Size   int    `json:"size"`
	SHA256 string `json:"sha256"`
}

func newManifest(f files) manifest {
	m := manifest{Format: format, Files: []listed{}}
	for _, name := range slices.Sorted(maps.Keys(f)) {
		if name != manifestName && name != signatureName {
			sum := sha256.Sum256(f[name])
			m.Files = append(m.Files, listed{name, len(f[name]), hex.EncodeToString(sum[:])})
		}
	}
	return m
}

// statement is the text that is signed for a manifest.
func statement(text []byte, complaint string) string {
	sum := sha256.Sum256(text)
	return fmt.Sprintf("%s\ncase %s\nmanifest %s\n", format, complaint, hex.EncodeToString(sum[:]))
}

func sign(text []byte, complaint string, keys []evidence.Key) ([]byte, error) {
	signers := make([]note.Signer, len(keys))
	for i, key := range keys {
		signers[i] = key
	}
	signed, err := note.Sign(&note.Note{Text: statement(text, complaint)}, signers...)
	if err != nil {
		return nil, fmt.Errorf("sign bundle: %w", err)
	}
	return signed, nil
}

// openManifest reads the manifest that the key has signed and checks that it
// lists the files, all of them and nothing else.
func (f files) openManifest(key note.Verifier) (m manifest, err error) {
	for _, name := range []string{manifestName, signatureName, checkpointName, fileName} {
		if f[name] == nil {
			return m, fmt.Errorf("%s is missing", name)
		}
	}
	if err := decode(f[manifestName], &m); err != nil {
		return m, fmt.Errorf("%s: %w", manifestName, err)
	}
	text, err := openNote(f[signatureName], key, m.Keys)
	if err != nil {
		return m, fmt.Errorf("%s: %w", signatureName, err)
	}
	if m.Format != format {
		return m, fmt.Errorf("%s: the format is %q, and this program knows %q", manifestName, m.Format, format)
	}
	if text != statement(f[manifestName], m.Case) {
		return m, fmt.Errorf("%s: signed is another manifest", signatureName)
	}
	if want := newManifest(f).Files; !slices.Equal(m.Files, want) {
		return m, errors.New(difference(m.Files, want))
	}
	return m, nil
}

// difference names the first file that is not as the manifest says.
func difference(listed, found []listed) string {
	for _, l := range listed {
		if !slices.Contains(found, l) {
			return fmt.Sprintf("%s is not the file that was signed, or is missing", l.Name)
		}
	}
	for _, l := range found {
		if !slices.Contains(listed, l) {
			return fmt.Sprintf("%s was added", l.Name)
		}
	}
	return manifestName + " lists files in another order, or twice"
}

// maxKeys bounds how many signed: see evidence.Keys.
const maxKeys = 2

// openNote opens a note that each of the public keys has signed, in their order,
// the reader's among them, and nobody else. The note vouches for the list, so there
// is no byte that nothing vouches for, nor are there loose bits of base64.
func openNote(signed []byte, reader note.Verifier, public []string) (text string, err error) {
	if len(public) > maxKeys {
		return "", errors.New("too many keys")
	}
	keys := make([]note.Verifier, len(public))
	for i, line := range public {
		if keys[i], err = note.NewVerifier(line); err != nil {
			return "", err
		}
		if keys[i].Name() == reader.Name() && keys[i].KeyHash() == reader.KeyHash() {
			keys[i] = reader // whatever the list says
		}
	}
	if !slices.Contains(keys, reader) {
		return "", errors.New("the key did not sign it")
	}
	n, err := note.Open(signed, note.VerifierList(keys...))
	if err != nil {
		return "", err
	}
	only := n.Text + "\n"
	for i, s := range n.Sigs {
		sig, err := base64.StdEncoding.Strict().DecodeString(s.Base64)
		if err != nil || i >= len(keys) || s.Name != keys[i].Name() || s.Hash != keys[i].KeyHash() {
			return "", errors.New("malformed signature, or not in its place")
		}
		only += fmt.Sprintf("— %s %s\n", s.Name, base64.StdEncoding.EncodeToString(sig))
	}
	if len(n.Sigs) != len(keys) || only != string(signed) {
		return "", errors.New("it has more or less than the signatures of its keys")
	}
	return n.Text, nil
}

// decode reads JSON that can be read in one way only: no name twice, none in
// another case, none unknown.
func decode(text []byte, v any) error {
	return json.Unmarshal(text, v, json.RejectUnknownMembers(true))
}
