package parcels_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"doorstep"
	"doorstep/parcels"
	"doorstep/prefs"
)

// nowhere keeps nothing: what is left is the rules of a dispatch.
type nowhere struct {
	parcels.DispatchStore
	wish prefs.Profile
}

func (nowhere) Posts(_ context.Context, _ doorstep.CompanyNo, outlets []string, works map[string][]string) (parcels.Posts, error) {
	posts := parcels.Posts{Outlets: map[string]parcels.OutletPost{}, Couriers: map[string]parcels.CourierPost{}}
	for i, id := range outlets {
		posts.Outlets[id] = parcels.OutletPost{No: doorstep.OutletNo(i + 1), Zone: time.UTC}
	}
	for id := range works {
		posts.Couriers[id] = parcels.CourierPost{No: int64(len(posts.Couriers) + 1)}
	}
	return posts, nil
}

// Profiles gives every twentieth consumer a wish.
func (n nowhere) Profiles(_ context.Context, consumers []doorstep.ConsumerID) (map[doorstep.ConsumerID]prefs.Profile, error) {
	profiles := map[doorstep.ConsumerID]prefs.Profile{}
	for i := 0; i < len(consumers); i += 20 {
		profiles[consumers[i]] = n.wish
	}
	return profiles, nil
}

func (nowhere) AddDispatches(context.Context, doorstep.CompanyNo, []parcels.Dispatch) (map[parcels.Key]parcels.Earlier, error) {
	return nil, nil
}

func (nowhere) Consumer(_ doorstep.CompanyNo, phone doorstep.Phone) doorstep.ConsumerID {
	return doorstep.ConsumerID(phone)
}

func BenchmarkDispatch1000WithoutAStore(b *testing.B) {
	now := time.Date(2026, 3, 2, 1, 0, 0, 0, time.UTC)
	d := parcels.Dispatcher{
		Store: nowhere{wish: prefs.Profile{Preferences: []prefs.Preference{{Scope: prefs.Standing, Tag: "call_first", On: true, SetAt: now}}}},
		Now:   func() time.Time { return now }, NewID: doorstep.MakeID,
	}
	var orders []parcels.Order
	for i := range parcels.MaxBatch {
		orders = append(orders, parcels.Order{
			Waybill: fmt.Sprintf("SF%012d", i), OutletID: "west", CourierID: fmt.Sprintf("c-%d", i%16),
			Consignee: parcels.ConsigneeOrder{Phone: fmt.Sprintf("+86199%08d", i), Name: "王小明", Address: "江滨路118号2单元603室", AddressID: "a-1"},
		})
	}
	b.ReportAllocs()
	for b.Loop() {
		verdicts, err := d.Dispatch(b.Context(), doorstep.Actor{Role: doorstep.RoleIntegrator, Company: 1}, orders)
		require.NoError(b, err)
		require.Len(b, verdicts, parcels.MaxBatch)
	}
}
