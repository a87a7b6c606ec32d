package main

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"doorstep/api"
	"doorstep/store/storetest"
)

func TestARosterIsKeptAndReadBack(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		outlet := api.OutletInput{Name: "Riverside", TimeZone: ptr("Asia/Tokyo"), Locale: ptr("en-GB"), Hours: &api.Hours{
			Weekly:     &map[string][]api.Span{"mon": {{Opens: "08:00", Closes: "12:00"}, {Opens: "14:00", Closes: "24:00"}}},
			Exceptions: &[]api.HoursException{{Date: "2026-10-01", Spans: []api.Span{}}},
		}}
		stored := read[api.Outlet](a.put(a.integrator(), "/v1/outlets/river", outlet), http.StatusOK)
		require.Equal(t, "Riverside", stored.Name)
		require.Equal(t, outlet.Hours, stored.Hours)
		for _, who := range []string{a.integrator(), a.hq()} {
			require.Equal(t, stored, read[api.Outlet](a.get(who, "/v1/outlets/river"), http.StatusOK))
		}
		courier := read[api.Courier](a.put(a.integrator(), "/v1/couriers/li", api.CourierInput{OutletID: "river", Name: "Li Wei"}), http.StatusOK)
		require.Equal(t, "river", *courier.OutletID)
		require.Equal(t, courier, read[api.Courier](a.get(a.hq(), "/v1/couriers/li"), http.StatusOK))

		// A scan alone lets a complaint find its outlet.
		scans := api.ScanBatch{Scans: []api.ScanInput{{
			Waybill: "SF9", OutletID: "river", Code: "arrived", At: a.clock.Now().Format(time.RFC3339), Consignee: &api.Consignee{Phone: anne},
		}}}
		require.Equal(t, 1, read[api.ScanResults](a.post(a.integrator(), "/v1/scans", scans), http.StatusOK).Accepted)
		require.Equal(t, 1, read[api.ScanResults](a.post(a.integrator(), "/v1/scans", scans), http.StatusOK).Duplicate)
		require.Equal(t, "river", a.complain(a.consumer(anne), "SF9", callEN).Outlet.ID)
	})
}
