package doorstep_test

import (
	"bytes"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"doorstep"
)

func TestAMaskedNumberHidesSixDigits(t *testing.T) {
	for phone, want := range map[doorstep.Phone]string{
		"+8613800001234": "138******34", "+85291234567": "852******67", "+442079460000": "4420******00",
		"+8612345678": "******", "": "******", "+12": "******",
	} {
		require.Equal(t, want, phone.Masked(), string(phone))
	}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("called", "phone", doorstep.Phone("+8613800001234"))
	require.Contains(t, log.String(), "138******34")
	require.NotContains(t, log.String(), "00001234")
}

func TestAMaskedNameShowsOneCharacter(t *testing.T) {
	for name, want := range map[string]string{
		"张伟": "张*", "欧阳娜娜": "欧*", "Anne Moreau": "A*", " 李 ": "李*", "": "", "𠮷田": "𠮷*",
	} {
		require.Equal(t, want, doorstep.MaskName(name), name)
	}
}

func TestAMaskedAddressEndsAtTheBuilding(t *testing.T) {
	for address, want := range map[string]string{
		"杭州市西湖区文一路8号3号楼2单元501室":   "杭州市西湖区文一路8号***",
		"上海市静安区南京西路1266号二十层":      "上海市静安区南京西路1266号***",
		"幸福小区3-2-501":             "幸福小区***",
		"和平里七区 12 栋":              "和平里七区***",
		"和平里七区Ａ座":                 "和平里七区***",
		"中山路88号":                  "中山路88号",
		"8 Mill Lane, door 301":   "8 Mill Lane***",
		"12 High Street Apt. 5b":  "12 High Street***",
		"12 High Street #5":       "12 High Street***",
		"12 High Street, Flat 2":  "12 High Street***",
		"12 High Street, 301":     "12 High Street***",
		"77 Vermilion Passage":    "77 Vermilion Passage",
		"Unity House, Floor Road": "Unity House, Floor Road",
		"":                        "",
	} {
		require.Equal(t, want, doorstep.MaskAddress(address), address)
	}
}
