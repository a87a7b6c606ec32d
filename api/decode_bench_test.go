package api_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"doorstep/api"
)

// BenchmarkDecodeDispatches1000 is a call on its way to the use case and an
// empty answer: token, body and JSON.
func BenchmarkDecodeDispatches1000(b *testing.B) {
	const size = 1000
	decoded := 0
	e := api.New(api.Config{
		Operations: &operations{postDispatches: func(_ context.Context, r api.PostDispatchesRequestObject) (api.PostDispatchesResponseObject, error) {
			decoded = len(r.Body.Dispatches)
			return api.PostDispatches200JSONResponse{}, nil
		}},
		Tokens: tokens{}, Log: slog.New(slog.DiscardHandler), Now: time.Now,
		NewID: func() string { return "request" }, Draw: func() float64 { return 0.5 },
	})
	items := make([]string, size)
	for i := range items {
		items[i] = fmt.Sprintf(`{"waybill":"SF%012d","outlet_id":"west","courier_id":"c-%d","consignee":{"phone":"+86199%08d","name":"王小明","address":"江滨路118号2单元603室","address_id":"a-1"}}`, i, i%16, i)
	}
	body := []byte(`{"dispatches":[` + strings.Join(items, ",") + `]}`)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		r := httptest.NewRequest(http.MethodPost, "/v1/dispatches", bytes.NewReader(body))
		r.Header.Set("Authorization", "Bearer integrator")
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		e.ServeHTTP(w, r)
		require.Equal(b, http.StatusOK, w.Code)
	}
	require.Equal(b, size, decoded)
}
