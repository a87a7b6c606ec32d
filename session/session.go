// Package session says which secret a browser's request speaks with: the names
// of the cookies that pages are signed in by, how they are set, and when a
// request is taken for one of our own pages'. What a secret is good for is for
// package access to say.
package session

import (
	"crypto/sha256"
	"encoding/base32"
	"net/http"
	"strings"
	"time"
)

// Face is one of the cookies that a browser may hold: of a face, or of one
// consumer's link, since a browser may hold several of those.
type Face string

// The faces that people sign in to. A manager and a courier may share a browser.
const (
	Courier Face = "courier"
	Console Face = "console"
)

// Header names the face for which a page calls the API. Only a page of the same
// origin can set it.
const Header = "Doorstep-Face"

// linkPrefix begins the name of every link's face.
const linkPrefix = "link-"

// OfLink is the face of a consumer's link. It tells nothing of the secret.
func OfLink(secret string) Face {
	sum := sha256.Sum256([]byte("face of a link\x00" + secret))
	return Face(linkPrefix + strings.ToLower(base32.StdEncoding.EncodeToString(sum[:10])))
}

// IsLink says whether a face is a link's.
func (f Face) IsLink() bool { return strings.HasPrefix(string(f), linkPrefix) }

// How long a browser keeps a cookie. The secret in it mostly ends before.
const (
	keepStaff = 400 * 24 * time.Hour // browsers keep none longer
	keepLink  = 30 * 24 * time.Hour
)

// mostLinks bounds the links that one browser holds: they are sent with every
// request.
const mostLinks = 12

const cookiePrefix = "doorstep_"

// name is the cookie's. The prefix that browsers know binds it to this host,
// which they allow on https only.
func (f Face) name(secure bool) string {
	if secure {
		return "__Host-" + cookiePrefix + string(f)
	}
	return cookiePrefix + string(f)
}

// Jar sets and reads the cookies.
type Jar struct {
	Secure func() bool // whether browsers reach the pages by https
}

// Secret is the face's secret, "" if the request has none.
func (j Jar) Secret(r *http.Request, f Face) string {
	c, err := r.Cookie(f.name(j.Secure()))
	if err != nil {
		return ""
	}
	return c.Value
}

// Keep gives the browser a secret. Of links too many it drops the oldest, which
// browsers send first.
func (j Jar) Keep(w http.ResponseWriter, r *http.Request, f Face, secret string) {
	life := keepStaff
	if f.IsLink() {
		life = keepLink
		var held []Face
		for _, c := range r.Cookies() {
			_, name, _ := strings.Cut(c.Name, cookiePrefix)
			if other := Face(name); other.IsLink() && other != f {
				held = append(held, other)
			}
		}
		for i := 0; i <= len(held)-mostLinks; i++ {
			j.Drop(w, held[i])
		}
	}
	j.set(w, f, secret, int(life.Seconds()))
}

// Drop takes a face's secret away from the browser.
func (j Jar) Drop(w http.ResponseWriter, f Face) { j.set(w, f, "", -1) }

func (j Jar) set(w http.ResponseWriter, f Face, value string, maxAge int) {
	http.SetCookie(w, &http.Cookie{
		Name: f.name(j.Secure()), Value: value, Path: "/", MaxAge: maxAge,
		HttpOnly: true, Secure: j.Secure(), SameSite: http.SameSiteLaxMode,
	})
}

var protection = http.NewCrossOriginProtection()

// SameOrigin says whether a request that may change something comes from one of
// our own pages, or from no browser at all.
func SameOrigin(r *http.Request) bool { return protection.Check(r) == nil }

// OfPage is the secret of the page that calls the API, "" if it may not speak
// with any. What changes something needs the header that only our own pages can
// send; an EventSource, which can send none, is the courier's.
func (j Jar) OfPage(r *http.Request) string {
	f := Face(r.Header.Get(Header))
	switch {
	case !SameOrigin(r):
		return ""
	case f == "" && r.Method != http.MethodGet:
		return ""
	case f == "":
		f = Courier
	case f != Courier && f != Console && !f.IsLink():
		return ""
	}
	return j.Secret(r, f)
}
