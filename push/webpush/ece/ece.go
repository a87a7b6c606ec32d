// Package ece encrypts and decrypts the body of a Web Push message: the content
// coding aes128gcm (RFC 8188) in a single record, under keys that sender and
// browser agree on as RFC 8291 says.
package ece

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Sizes in bytes.
const (
	AuthSize = 16   // a subscription's authentication secret
	MaxBody  = 4096 // what every push service must take (RFC 8030, 7.2)
	Overhead = headerSize + 1 + tagSize

	saltSize   = 16
	pointSize  = 65 // an uncompressed P-256 point
	headerSize = saltSize + 4 + 1 + pointSize
	tagSize    = 16
	recordSize = 4096 // at least that of any single record in a body of MaxBody
)

// lastRecord ends the text of the last record; zeros pad it.
const lastRecord = 2

// ErrTooLarge says that a text does not fit into the size asked for.
var ErrTooLarge = errors.New("ece: the text does not fit")

// Seal encrypts text for a subscription into a body of exactly size bytes,
// padded. It reads the salt and then a fresh key from random.
func Seal(random io.Reader, to *ecdh.PublicKey, auth, text []byte, size int) ([]byte, error) {
	if len(text)+Overhead > size || size > MaxBody {
		return nil, ErrTooLarge
	}
	body := make([]byte, saltSize, size)
	if _, err := io.ReadFull(random, body); err != nil {
		return nil, fmt.Errorf("ece: salt: %w", err)
	}
	own, err := newKey(random)
	if err != nil {
		return nil, fmt.Errorf("ece: key: %w", err)
	}
	secret, err := own.ECDH(to)
	if err != nil {
		return nil, fmt.Errorf("ece: key agreement: %w", err)
	}
	sender := own.PublicKey().Bytes()
	gcm, nonce, err := recordKeys(secret, auth, to.Bytes(), sender, body[:saltSize])
	if err != nil {
		return nil, err
	}
	body = binary.BigEndian.AppendUint32(body, recordSize)
	body = append(body, pointSize)
	body = append(body, sender...)
	padded := make([]byte, size-headerSize-tagSize)
	padded[copy(padded, text)] = lastRecord
	return gcm.Seal(body, nonce, padded, nil), nil
}

// newKey reads a key from random. ecdh's own GenerateKey takes no other source
// than the system's.
func newKey(random io.Reader) (*ecdh.PrivateKey, error) {
	var scalar [32]byte
	for {
		if _, err := io.ReadFull(random, scalar[:]); err != nil {
			return nil, err
		}
		if key, err := ecdh.P256().NewPrivateKey(scalar[:]); err == nil {
			return key, nil // all but one number in 2³² are keys
		}
	}
}

// Open decrypts a body with the subscription's own key.
func Open(own *ecdh.PrivateKey, auth, body []byte) ([]byte, error) {
	if len(body) < Overhead || len(body) > MaxBody {
		return nil, fmt.Errorf("ece: a body of %d bytes", len(body))
	}
	header, record := body[:headerSize], body[headerSize:]
	salt, sender := header[:saltSize], header[headerSize-pointSize:]
	if header[saltSize+4] != pointSize {
		return nil, errors.New("ece: the key id is no P-256 key")
	}
	if binary.BigEndian.Uint32(header[saltSize:]) < uint32(len(record)) {
		return nil, errors.New("ece: more than one record")
	}
	from, err := ecdh.P256().NewPublicKey(sender)
	if err != nil {
		return nil, fmt.Errorf("ece: sender's key: %w", err)
	}
	secret, err := own.ECDH(from)
	if err != nil {
		return nil, fmt.Errorf("ece: key agreement: %w", err)
	}
	gcm, nonce, err := recordKeys(secret, auth, own.PublicKey().Bytes(), sender, salt)
	if err != nil {
		return nil, err
	}
	padded, err := gcm.Open(nil, nonce, record, nil)
	if err != nil {
		return nil, fmt.Errorf("ece: %w", err)
	}
	end := len(padded) - 1
	for end > 0 && padded[end] == 0 {
		end--
	}
	if padded[end] != lastRecord {
		return nil, errors.New("ece: the record does not end as the last one must")
	}
	return padded[:end], nil
}

// recordKeys derives the only record's key and nonce (RFC 8291, 3.4).
func recordKeys(secret, auth, receiver, sender, salt []byte) (cipher.AEAD, []byte, error) {
	info := "WebPush: info\x00" + string(receiver) + string(sender)
	shared, err := hkdf.Key(sha256.New, secret, auth, info, sha256.Size)
	if err != nil {
		return nil, nil, fmt.Errorf("ece: shared key: %w", err)
	}
	key, err := hkdf.Key(sha256.New, shared, salt, "Content-Encoding: aes128gcm\x00", 16)
	if err != nil {
		return nil, nil, fmt.Errorf("ece: record key: %w", err)
	}
	nonce, err := hkdf.Key(sha256.New, shared, salt, "Content-Encoding: nonce\x00", 12)
	if err != nil {
		return nil, nil, fmt.Errorf("ece: nonce: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, nil, fmt.Errorf("ece: %w", err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, nil, fmt.Errorf("ece: %w", err)
	}
	return gcm, nonce, nil
}
