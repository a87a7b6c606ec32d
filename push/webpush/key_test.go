package webpush_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"doorstep/push/webpush"
)

func TestANewKeySendsUnderItsPublicHalf(t *testing.T) {
	key, err := webpush.NewKey()
	require.NoError(t, err)
	other, err := webpush.NewKey()
	require.NoError(t, err)
	require.NotEqual(t, key, other)
	public, err := webpush.PublicKey(key)
	require.NoError(t, err)
	sender := newSender(t, webpush.Config{PrivateKey: key, Subject: "mailto:ops@carrier.example"})
	require.Equal(t, sender.PublicKey(), public)
	require.Len(t, public, 87, "65 bytes in base64url")
	_, err = webpush.PublicKey("no key")
	require.ErrorContains(t, err, "P-256")
}
