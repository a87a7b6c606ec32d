package complaints

import (
	"testing"

	"github.com/stretchr/testify/require"

	"doorstep/prefs"
)

func TestALessonIsWhatTheTextWishesAndTheChosenCategoryImplies(t *testing.T) {
	read := func(tags ...TagReading) Reading { return Reading{Tags: tags} }
	for _, tt := range []struct {
		name   string
		read   Reading
		chosen Category
		want   map[prefs.Tag]float64
	}{
		{"nothing", read(), "", map[prefs.Tag]float64{}},
		{"a text", read(TagReading{prefs.NoLocker, 0.8}), "", map[prefs.Tag]float64{prefs.NoLocker: 3.2}},
		{"too doubtful a text", read(TagReading{prefs.NoLocker, 0.59}), "", map[prefs.Tag]float64{}},
		{"a chosen category", read(), LockerWithoutConsent, map[prefs.Tag]float64{prefs.NoLocker: 4}},
		{"both count once", read(TagReading{prefs.NoLocker, 0.8}), LockerWithoutConsent, map[prefs.Tag]float64{prefs.NoLocker: 4}},
		{"the text contradicts the category", read(TagReading{prefs.LockerOK, 0.8}), LockerWithoutConsent, map[prefs.Tag]float64{prefs.LockerOK: 3.2}},
		{"a category without a wish", read(), Delay, map[prefs.Tag]float64{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := map[prefs.Tag]float64{}
			for _, e := range Lessons(tt.read, tt.chosen) {
				got[e.Tag] = e.Weight
			}
			require.InDeltaMapValues(t, tt.want, got, 1e-9)
			require.Len(t, got, len(tt.want))
		})
	}
}
