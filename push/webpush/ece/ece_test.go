package ece_test

import (
	"bytes"
	"crypto/ecdh"
	"crypto/rand"
	"encoding/base64"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"doorstep/push/webpush/ece"
)

// The example of RFC 8291, appendix A.
const (
	exampleText     = "When I grow up, I want to be a watermelon"
	exampleAuth     = "BTBZMqHH6r4Tts7J_aSIgg"
	exampleReceiver = "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"
	examplePublic   = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
	exampleSender   = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"
	exampleSalt     = "DGv6ra1nlYgDCS1FRnbzlw"
	exampleBody     = "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
)

func bytesOf(t testing.TB, text string) []byte {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(text)
	require.NoError(t, err)
	return b
}

func privateKey(t testing.TB, text string) *ecdh.PrivateKey {
	t.Helper()
	key, err := ecdh.P256().NewPrivateKey(bytesOf(t, text))
	require.NoError(t, err)
	return key
}

func TestTheExampleOfTheStandardIsReproduced(t *testing.T) {
	receiver := privateKey(t, exampleReceiver)
	require.Equal(t, bytesOf(t, examplePublic), receiver.PublicKey().Bytes())
	random := bytes.NewReader(append(bytesOf(t, exampleSalt), bytesOf(t, exampleSender)...))

	body, err := ece.Seal(random, receiver.PublicKey(), bytesOf(t, exampleAuth), []byte(exampleText), len(exampleText)+ece.Overhead)

	require.NoError(t, err)
	require.Equal(t, exampleBody, base64.RawURLEncoding.EncodeToString(body))
	text, err := ece.Open(receiver, bytesOf(t, exampleAuth), bytesOf(t, exampleBody))
	require.NoError(t, err)
	require.Equal(t, exampleText, string(text))
}

func TestABodyHasTheSizeAskedFor(t *testing.T) {
	receiver, auth := privateKey(t, exampleReceiver), bytesOf(t, exampleAuth)
	const room = 512 - ece.Overhead
	for _, length := range []int{0, 1, room - 1, room} {
		want := strings.Repeat("x", length)
		body, err := ece.Seal(rand.Reader, receiver.PublicKey(), auth, []byte(want), 512)
		require.NoError(t, err)
		require.Len(t, body, 512)
		got, err := ece.Open(receiver, auth, body)
		require.NoError(t, err)
		require.Equal(t, want, string(got))
	}
	for _, c := range []struct{ length, size int }{{room + 1, 512}, {0, ece.Overhead - 1}, {0, ece.MaxBody + 1}} {
		_, err := ece.Seal(rand.Reader, receiver.PublicKey(), auth, make([]byte, c.length), c.size)
		require.ErrorIs(t, err, ece.ErrTooLarge)
	}
}

func TestNoTwoBodiesAreAlike(t *testing.T) {
	receiver, auth := privateKey(t, exampleReceiver), bytesOf(t, exampleAuth)
	seal := func() []byte {
		body, err := ece.Seal(rand.Reader, receiver.PublicKey(), auth, []byte(exampleText), 512)
		require.NoError(t, err)
		return body
	}
	one, two := seal(), seal()
	require.NotEqual(t, one[:16], two[:16], "salt")
	require.NotEqual(t, one[21:86], two[21:86], "key")
}

func TestARandomSourceThatEndsIsAnError(t *testing.T) {
	receiver, auth := privateKey(t, exampleReceiver), bytesOf(t, exampleAuth)
	for _, length := range []int{0, 15, 16, 47} {
		_, err := ece.Seal(bytes.NewReader(make([]byte, length)), receiver.PublicKey(), auth, nil, 512)
		require.Error(t, err, length)
	}
	// Zero is no key: the next 32 bytes are tried.
	random := io.MultiReader(bytes.NewReader(make([]byte, 16+32)), bytes.NewReader(bytesOf(t, exampleSender)))
	_, err := ece.Seal(random, receiver.PublicKey(), auth, nil, 512)
	require.NoError(t, err)
}

func TestAnAlteredBodyIsRefused(t *testing.T) {
	receiver, auth := privateKey(t, exampleReceiver), bytesOf(t, exampleAuth)
	good := bytesOf(t, exampleBody)
	for i := range good {
		bad := bytes.Clone(good)
		bad[i] ^= 0x80
		_, err := ece.Open(receiver, auth, bad)
		if i >= 16 && i < 20 { // the record size: a greater one says the same
			require.NoError(t, err)
			continue
		}
		require.Error(t, err, "byte %d", i)
	}
	many := bytes.Clone(good)
	many[18], many[19] = 0, byte(len(many)-86-1)
	_, err := ece.Open(receiver, auth, many)
	require.ErrorContains(t, err, "more than one record")
	_, err = ece.Open(receiver, make([]byte, 16), good)
	require.Error(t, err, "another secret")
	_, err = ece.Open(privateKey(t, exampleSender), auth, good)
	require.Error(t, err, "another key")
}

func FuzzOpen(f *testing.F) {
	f.Add(bytesOf(f, exampleBody))
	f.Add(bytesOf(f, exampleBody)[:ece.Overhead])
	f.Add([]byte{})
	receiver, auth := privateKey(f, exampleReceiver), bytesOf(f, exampleAuth)
	f.Fuzz(func(t *testing.T, body []byte) {
		text, err := ece.Open(receiver, auth, body)
		if err == nil {
			require.Equal(t, exampleText, string(text)) // nobody else knows the secret
		}
	})
}

func BenchmarkSeal(b *testing.B) {
	receiver, auth := privateKey(b, exampleReceiver), bytesOf(b, exampleAuth)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ece.Seal(rand.Reader, receiver.PublicKey(), auth, []byte(exampleText), 1024); err != nil {
			b.Fatal(err)
		}
	}
}
