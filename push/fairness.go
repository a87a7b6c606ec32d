package push

// Due is a delivery that could be claimed.
type Due struct {
	ID        string
	CourierNo int64  `db:"courier_no"`
	DeviceID  string `db:"device_id"`
}

// courierShare is how many deliveries of a claim one courier has before all
// others have theirs.
const courierShare = 4

// Choose picks what to claim of what is due, in its order: one delivery a
// device, and more than four a courier only where there is room left.
func Choose(due []Due, limit int) (ids []string) {
	devices := map[string]bool{}
	couriers := map[int64]int{}
	var rest []string
	for _, d := range due {
		if devices[d.DeviceID] {
			continue
		}
		devices[d.DeviceID] = true
		couriers[d.CourierNo]++
		if couriers[d.CourierNo] > courierShare {
			rest = append(rest, d.ID)
			continue
		}
		ids = append(ids, d.ID)
	}
	ids = append(ids, rest...)
	return ids[:min(len(ids), limit)]
}
