package webpush_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"testing"

	"github.com/stretchr/testify/require"

	"doorstep/push/webpush"
)

func TestAKeyIsReadInEveryForm(t *testing.T) {
	raw, err := base64.RawURLEncoding.DecodeString(vapidKey)
	require.NoError(t, err)
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), raw)
	require.NoError(t, err)
	sec1, err := x509.MarshalECPrivateKey(key)
	require.NoError(t, err)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	block := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	for name, text := range map[string]string{
		"base64url":      vapidKey,
		"padded base64":  base64.StdEncoding.EncodeToString(raw),
		"SEC 1":          block("EC PRIVATE KEY", sec1),
		"PKCS #8":        block("PRIVATE KEY", pkcs8),
		"as of openssl":  block("EC PARAMETERS", []byte{6, 8, 42, 134, 72, 206, 61, 3, 1, 7}) + block("EC PRIVATE KEY", sec1),
		"with a newline": vapidKey + "\n",
	} {
		s, err := webpush.New(webpush.Config{PrivateKey: text, Subject: "https://carrier.example"})
		require.NoError(t, err, name)
		require.Equal(t, "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8", s.PublicKey(), name)
	}
}

func TestAWrongKeyIsRefusedAndNotQuoted(t *testing.T) {
	other, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	require.NoError(t, err)
	p384, err := x509.MarshalECPrivateKey(other)
	require.NoError(t, err)
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(rsaKey)
	require.NoError(t, err)
	block := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	for name, text := range map[string]string{
		"words": "not a key", "short": vapidKey[:40], "long": vapidKey + "AAAA",
		"zero":  base64.RawURLEncoding.EncodeToString(make([]byte, 32)),
		"P-384": block("EC PRIVATE KEY", p384), "RSA": block("PRIVATE KEY", pkcs8),
		"nonsense in PEM": block("PRIVATE KEY", []byte("secret")), "a public key": block("PUBLIC KEY", pkcs8),
	} {
		_, err := webpush.New(webpush.Config{PrivateKey: text, Subject: "https://carrier.example"})
		require.EqualError(t, err, "webpush: the private key must be a P-256 key, as PEM or as 32 bytes in base64url", name)
	}
}

func TestAWrongSettingIsRefused(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*webpush.Config)
		want   string // of the error; empty: good
	}{
		{"an address", func(c *webpush.Config) { c.Subject = "mailto:ops@carrier.example" }, ""},
		{"a page", func(c *webpush.Config) { c.Subject = "https://carrier.example/contact" }, ""},
		{"no key", func(c *webpush.Config) { c.PrivateKey = "" }, "private key is missing"},
		{"no subject", func(c *webpush.Config) { c.Subject = "" }, "must be mailto:"},
		{"an address without mailto", func(c *webpush.Config) { c.Subject = "ops@carrier.example" }, "must be mailto:"},
		{"mailto twice", func(c *webpush.Config) { c.Subject = "mailto:mailto:ops@carrier.example" }, "bare address"},
		{"a name and address", func(c *webpush.Config) { c.Subject = "mailto:Ops <ops@carrier.example>" }, "bare address"},
		{"a page without TLS", func(c *webpush.Config) { c.Subject = "http://carrier.example" }, "must be mailto:"},
		{"this machine", func(c *webpush.Config) { c.Subject = "mailto:ops@localhost" }, "local name"},
		{"this network", func(c *webpush.Config) { c.Subject = "https://nas.local" }, "local name"},
		{"a host with its port", func(c *webpush.Config) { c.Hosts = []string{"push.example:8443"} }, ""},
		{"a host with a scheme", func(c *webpush.Config) { c.Hosts = []string{"https://push.example"} }, "lower-case name"},
		{"a host with a path", func(c *webpush.Config) { c.Hosts = []string{"push.example/x"} }, "lower-case name"},
		{"a host with a star", func(c *webpush.Config) { c.Hosts = []string{"*.push.example"} }, "lower-case name"},
		{"a host with a dot before", func(c *webpush.Config) { c.Hosts = []string{".push.example"} }, "lower-case name"},
		{"a host in capitals", func(c *webpush.Config) { c.Hosts = []string{"Push.example"} }, "lower-case name"},
		{"a number as host", func(c *webpush.Config) { c.Hosts = []string{"10.0.0.1"} }, "lower-case name"},
		{"nothing as host", func(c *webpush.Config) { c.Hosts = []string{""} }, "lower-case name"},
		{"negative connections", func(c *webpush.Config) { c.MaxConns = -1 }, "must not be negative"},
		{"negative time", func(c *webpush.Config) { c.AttemptTimeout = -1 }, "must not be negative"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := webpush.Config{PrivateKey: vapidKey, Subject: "https://carrier.example"}
			c.change(&cfg)
			_, err := webpush.New(cfg)
			if c.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.want)
		})
	}
}
