package bundle

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"

	"doorstep"
	"doorstep/evidence"
)

// maxPhotos bounds the photos of a bundle, in bytes: the rest of MaxSize is for the
// records.
const maxPhotos = 32 << 20

// Photo is one that a disclosed record declares. Its bytes are those that came:
// they alone have the hash that the record commits to, and the copy that people
// see has none that anybody outside could check.
type Photo struct {
	SHA256 string
	Bytes  []byte
	Absent Absence // why there are none; "" if they are there
}

// Absence says why a photo is not in the bundle. It is the server's word.
type Absence string

// The reasons. One that was erased has no hash any more that could name it.
const (
	NotArrived Absence = "not_arrived" // its bytes never came
	NotForYou  Absence = "withheld"    // another courier's, in a courier's bundle
	TooMuch    Absence = "left_out"    // the bundle would have become too large
)

// absent is how the manifest names a photo that is not there.
type absent struct {
	SHA256 string  `json:"sha256"`
	Why    Absence `json:"why"`
}

// extensions are by what photos may be. Others get none.
var extensions = map[string]string{"image/jpeg": ".jpg", "image/png": ".png", "image/webp": ".webp"}

var photoNames = regexp.MustCompile(`^photos/([0-9a-f]{64})(\.jpg|\.png|\.webp)?$`)

func photoName(p Photo) string {
	return "photos/" + p.SHA256 + extensions[http.DetectContentType(p.Bytes)]
}

// Photos gives what couriers' phones sent.
type Photos interface {
	// Original reads the bytes of the photo that a record declares, as they came.
	// doorstep.ErrNotFound: they have not; doorstep.ErrUnavailable: they are just
	// being erased, or the store of photos does not answer.
	Original(ctx context.Context, outlet doorstep.OutletNo, record string) ([]byte, error)
}

// photos reads the photos that the records of a dossier declare, in the records'
// order. What does not fit, and what comes behind that, is left out unread.
func (p *Packer) photos(ctx context.Context, d evidence.Dossier) ([]Photo, error) {
	found := map[string]Photo{}
	left := maxPhotos
	for _, r := range d.Records {
		record := evidence.ReadRecord(r.Leaf, r.Disclosure)
		photo := Photo{SHA256: record.Photo()}
		if had, twice := found[photo.SHA256]; photo.SHA256 == "" || twice && had.Absent == "" {
			continue
		}
		switch {
		case !d.Reader.SeesPhoto(record.About):
			photo.Absent = NotForYou
		case left == 0:
			photo.Absent = TooMuch
		default:
			body, err := p.Photos.Original(ctx, r.In.Log.No, r.Leaf.ID)
			switch {
			case errors.Is(err, doorstep.ErrNotFound):
				photo.Absent = NotArrived
			case err != nil:
				return nil, err
			case len(body) > left:
				photo.Absent, left = TooMuch, 0
			default:
				photo.Bytes = body
				left -= len(body)
			}
		}
		found[photo.SHA256] = photo
	}
	list := make([]Photo, 0, len(found))
	for _, hash := range slices.Sorted(maps.Keys(found)) {
		list = append(list, found[hash])
	}
	return list, nil
}

// PhotoReport is how a photo stands that a disclosed record declares.
type PhotoReport struct {
	SHA256 string
	State  State
	Note   string
}

// checkPhotos checks that each photo has the hash that a record commits to, and
// that of each that a record declares it is there or said why not.
func (v *verification) checkPhotos(missing []absent) {
	declared := map[string]bool{}
	for _, r := range v.records {
		if hash := r.Photo(); hash != "" {
			declared[hash] = true
		}
	}
	reports := map[string]PhotoReport{}
	for name, body := range v.files {
		named := photoNames.FindStringSubmatch(name)
		if named == nil {
			continue
		}
		sum := sha256.Sum256(body)
		state := OK
		if hex.EncodeToString(sum[:]) != named[1] {
			state = Mismatch
			v.problem("%s: these are not the bytes that the record declares", name)
		}
		reports[named[1]] = PhotoReport{named[1], state, fmt.Sprintf("%d bytes", len(body))}
	}
	for _, m := range missing {
		if _, twice := reports[m.SHA256]; twice {
			v.problem("%s: of the photo %q it says two things", manifestName, m.SHA256)
			continue
		}
		switch m.Why {
		case NotArrived:
			reports[m.SHA256] = PhotoReport{m.SHA256, Absent, "its bytes never came"}
		case NotForYou:
			reports[m.SHA256] = PhotoReport{m.SHA256, Withheld, ""}
		case TooMuch:
			reports[m.SHA256] = PhotoReport{m.SHA256, Absent, "left out: the bundle would be too large"}
		default:
			v.problem("%s: the photo %q is missing for no reason that this program knows", manifestName, m.SHA256)
		}
	}
	for hash := range declared {
		if _, said := reports[hash]; !said {
			v.problem("the photo %q is declared by a record, and neither there nor said to be missing", hash)
		}
	}
	for _, hash := range slices.Sorted(maps.Keys(reports)) {
		if !declared[hash] {
			v.problem("the photo %q is declared by no record", hash)
		}
		v.report.Photos = append(v.report.Photos, reports[hash])
	}
	if len(missing) > 0 {
		v.notCovered("why photos are missing: the server's word")
	}
}
