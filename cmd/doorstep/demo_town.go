package main

import (
	"bytes"
	_ "embed"
	"fmt"
	"math/rand/v2"
	"time"

	"doorstep/api"
	"doorstep/reading"
)

// demoComplaints is every twelfth row of the first five authors of
// reading/data, neither picked nor changed. After a change there:
//
//	awk 'FNR % 12 == 0' reading/data/complaints-*[b-ev].ndjson >cmd/doorstep/demo/complaints.ndjson
//
//go:embed demo/complaints.ndjson
var demoComplaints []byte

type demoOutlet struct{ id, name, manager string }

var demoOutlets = []demoOutlet{
	{"riverside", "滨江网点", "Zhao Min"},
	{"old-town", "老城网点", "Sun Qiang"},
}

// demoHQ is the name of somebody at headquarters.
const demoHQ = "Qian Hui"

type demoCourier struct{ id, name, outlet string }

var demoCouriers = []demoCourier{
	{"c-wang", "王磊", "riverside"}, {"c-zhang", "张强", "riverside"}, {"c-liu", "刘洋", "riverside"},
	{"c-chen", "陈军", "old-town"}, {"c-yang", "杨帆", "old-town"}, {"c-zhou", "周平", "old-town"},
}

// demoConsumer is somebody who gets parcels. All of them are made up, the
// numbers above all.
type demoConsumer struct {
	phone, name, address, addressID string
	courier                         demoCourier // whose round goes past their door
}

// order is a parcel on its way to c.
func (c demoConsumer) order(waybill string, at time.Time) api.DispatchInput {
	dispatchedAt := at.UTC().Format(time.RFC3339)
	return api.DispatchInput{
		Waybill: waybill, OutletID: c.courier.outlet, CourierID: c.courier.id, DispatchedAt: &dispatchedAt,
		Consignee: api.Consignee{Phone: c.phone, Name: &c.name, Address: &c.address, AddressID: &c.addressID},
	}
}

// demoTown is who lives where, what was brought to them in the past week, what
// they complained of, and what goes out today.
type demoTown struct {
	consumers  []demoConsumer
	complaints []demoComplaint
	past       []api.DispatchInput
	today      []api.DispatchInput
}

// demoComplaint is one row about one past parcel.
type demoComplaint struct {
	waybill string
	row     reading.Row
}

const (
	pastParcels  = 320
	todayParcels = 90
	content      = 18 // consumers who never complain
)

var (
	surnames = []string{"李", "王", "张", "刘", "陈", "杨", "赵", "黄", "周", "吴", "徐", "孙", "马", "朱", "胡", "郭", "何", "林", "高", "罗"}
	given    = []string{"娜", "伟", "芳", "敏", "静", "强", "磊", "洋", "艳", "勇", "杰", "娟", "涛", "明", "超", "秀英", "霞", "平", "刚", "桂英"}
	firsts   = []string{"Anna", "Ben", "Chloe", "Dev", "Ella", "Femi", "Grace", "Hugo", "Isla", "Jack"}
	lasts    = []string{"Archer", "Byrne", "Costa", "Dunn", "Evans", "Ford", "Gill", "Hart", "Khan", "Lowe"}
	streets  = []string{"江滨路", "槐树巷", "中山东路", "文昌街", "梧桐路"}
)

// newDemoTown makes the same town for the same seed, apart from the day.
func newDemoTown(now time.Time) (demoTown, error) {
	rows, err := reading.ReadRows(bytes.NewReader(demoComplaints))
	if err != nil {
		return demoTown{}, fmt.Errorf("the demo's complaints: %w", err)
	}
	chance := rand.New(rand.NewPCG(demoSeed, 0))
	var town demoTown
	for i := range len(rows) + content {
		name := surnames[chance.IntN(len(surnames))] + given[chance.IntN(len(given))]
		if i < len(rows) && rows[i].Lang == "en" {
			name = firsts[chance.IntN(len(firsts))] + " " + lasts[chance.IntN(len(lasts))]
		}
		town.consumers = append(town.consumers, demoConsumer{
			phone: fmt.Sprintf("+861990000%04d", i), name: name, addressID: fmt.Sprintf("a-%03d", i),
			address: fmt.Sprintf("%s%d号%d室", streets[chance.IntN(len(streets))], 1+chance.IntN(200), 101+100*chance.IntN(20)),
			courier: demoCouriers[i%len(demoCouriers)],
		})
	}
	for i := range pastParcels {
		at := now.Add(-24*time.Hour - time.Duration(chance.IntN(6*24*60))*time.Minute)
		town.past = append(town.past, town.consumers[i%len(town.consumers)].order(fmt.Sprintf("SF20260%06d", i), at))
	}
	for i, row := range rows {
		town.complaints = append(town.complaints, demoComplaint{waybill: town.past[i].Waybill, row: row})
	}
	for i, who := range chance.Perm(len(town.consumers))[:todayParcels] {
		town.today = append(town.today, town.consumers[who].order(fmt.Sprintf("SF20261%06d", i), now))
	}
	return town, nil
}
