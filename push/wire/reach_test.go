package wire_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"doorstep/push/wire"
)

func TestOnlyThePublicInternetIsPublic(t *testing.T) {
	for _, ip := range []string{
		"8.8.8.8", "142.250.1.95", "100.63.255.255", "100.128.0.0", "172.15.0.1", "172.32.0.1", "198.20.0.0", "223.255.255.255",
		"2404:6800:4003:c00::5f", "2620:149::1", "64:ff9b::8.8.8.8", "::ffff:8.8.8.8",
	} {
		require.True(t, wire.IsPublic(netip.MustParseAddr(ip)), ip)
	}
	for _, ip := range []string{
		"0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "127.0.0.1", "127.255.255.254", "169.254.169.254", "172.16.0.1",
		"172.31.255.255", "192.0.0.8", "192.168.1.1", "198.18.0.1", "203.0.113.9", "224.0.0.1", "240.0.0.1", "255.255.255.255",
		"::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b::127.0.0.1",
		"64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1", "2002:7f00:1::", "fc00::1", "fd12::1", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1",
	} {
		require.False(t, wire.IsPublic(netip.MustParseAddr(ip)), ip)
	}
	require.False(t, wire.IsPublic(netip.Addr{}))
}
