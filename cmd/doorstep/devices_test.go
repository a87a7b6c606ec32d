package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"doorstep"
	"doorstep/push"
	"doorstep/store"
)

func TestAServerForgetsByItselfTheDevicesThatNobodySees(t *testing.T) {
	// Given a device that was last seen long ago, and one that was seen today
	data := database{Data: t.TempDir(), TimeZone: "Asia/Shanghai"}
	require.NoError(t, data.with(t.Context(), func(db *store.DB) error {
		company, err := db.Company(t.Context(), "default")
		require.NoError(t, err)
		li := doorstep.Actor{Role: doorstep.RoleCourier, Company: company, Courier: "li"}
		for install, ago := range map[string]time.Duration{"old": push.ForgottenAfter, "young": time.Minute} {
			inbox := push.Inbox{Store: db, Now: func() time.Time { return now().Add(-ago) }}
			_, err := inbox.PutDevice(t.Context(), li, push.DeviceRequest{
				InstallID: install, Provider: push.FCM, Address: "token-of-" + install, Locale: "zh-CN",
			})
			require.NoError(t, err)
		}
		return nil
	}))

	// When a server runs, then only the younger one remains
	serveHere(t, serveCmd{Database: data})
	require.NoError(t, data.with(t.Context(), func(db *store.DB) error {
		require.Eventually(t, func() bool {
			counts, err := db.Devices(t.Context())
			return err == nil && len(counts) == 1 && counts[0] == push.DeviceCount{Provider: push.FCM, Count: 1}
		}, processWait, 5*time.Millisecond)
		return nil
	}))
}
