package s3_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"doorstep"
	"doorstep/blobs/s3"
)

// standIn is a store that speaks as much of S3 as blobs need. It takes only
// requests that are signed with the key's name.
type standIn struct {
	mu      sync.Mutex
	objects map[string][]byte // by path: "/bucket/prefix/name"
	asked   []string          // "PUT /bucket/..."
	faults  int               // requests to answer 500 first
	stuck   chan struct{}     // requests wait for it, if there is one
}

func (s *standIn) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.stuck != nil {
		select {
		case <-s.stuck:
		case <-r.Context().Done():
		}
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, r.Method+" "+r.URL.Path)
	scope := fmt.Sprintf("AWS4-HMAC-SHA256 Credential=KEY/%s/eu-1/s3/aws4_request,", time.Now().UTC().Format("20060102"))
	switch {
	case !strings.HasPrefix(r.Header.Get("Authorization"), scope) || !strings.Contains(r.Header.Get("Authorization"), "Signature="):
		refuse(w, http.StatusForbidden, "AccessDenied")
	case s.faults > 0:
		s.faults--
		refuse(w, http.StatusInternalServerError, "InternalError")
	case !strings.HasPrefix(r.URL.Path, "/bucket/"):
		refuse(w, http.StatusNotFound, "NoSuchBucket")
	default:
		s.answer(w, r)
	}
}

func (s *standIn) answer(w http.ResponseWriter, r *http.Request) {
	switch body, there := s.objects[r.URL.Path]; {
	case r.Method == http.MethodPut:
		sent, err := content(r)
		if err != nil {
			refuse(w, http.StatusBadRequest, "IncompleteBody")
			return
		}
		s.objects[r.URL.Path] = sent
		w.Header().Set("ETag", `"1"`)
	case r.Method == http.MethodDelete:
		delete(s.objects, r.URL.Path)
		w.WriteHeader(http.StatusNoContent)
	case !there:
		refuse(w, http.StatusNotFound, "NoSuchKey")
	default:
		w.Header().Set("ETag", `"1"`)
		w.Header().Set("Last-Modified", "Sat, 21 Nov 2026 01:00:00 GMT")
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		_, _ = w.Write(body)
	}
}

func refuse(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	fmt.Fprintf(w, "<Error><Code>%s</Code><Message>no</Message></Error>", code)
}

// content reads a body, also one in signed chunks: "size;chunk-signature=...".
func content(r *http.Request) ([]byte, error) {
	if !strings.HasPrefix(r.Header.Get("X-Amz-Content-Sha256"), "STREAMING-") {
		return io.ReadAll(r.Body)
	}
	var whole []byte
	in := bufio.NewReader(r.Body)
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return nil, err
		}
		size, _, _ := strings.Cut(strings.TrimSpace(line), ";")
		n, err := strconv.ParseInt(size, 16, 32)
		if err != nil || n == 0 {
			return whole, err
		}
		chunk := make([]byte, n+2) // and the end of its line
		if _, err := io.ReadFull(in, chunk); err != nil {
			return nil, err
		}
		whole = append(whole, chunk[:n]...)
	}
}

// open starts a stand-in and opens a bucket there.
func open(t *testing.T, bucket string, keys map[string]string) (*standIn, *s3.Bucket) {
	t.Helper()
	s := &standIn{objects: map[string][]byte{}}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	b, err := s3.Open("s3://"+bucket+"/some/prefix?region=eu-1&endpoint="+server.URL, func(name string) string { return keys[name] })
	require.NoError(t, err)
	return s, b
}

var goodKeys = map[string]string{"AWS_ACCESS_KEY_ID": "KEY", "AWS_SECRET_ACCESS_KEY": "not a secret"}

func TestABucketKeepsGivesBackAndDeletes(t *testing.T) {
	s, b := open(t, "bucket", goodKeys)
	name := doorstep.MakeID(7)
	body := make([]byte, 10<<20) // the largest photo, in one piece
	_, _ = rand.Read(body)
	require.NoError(t, b.Put(t.Context(), name, body))
	require.True(t, bytes.Equal(body, s.objects["/bucket/some/prefix/"+name]))
	got, err := b.Get(t.Context(), name)
	require.NoError(t, err)
	require.True(t, bytes.Equal(body, got))

	require.NoError(t, b.Delete(t.Context(), name))
	require.NoError(t, b.Delete(t.Context(), name), "what is gone is gone")
	require.Empty(t, s.objects)
	_, err = b.Get(t.Context(), name)
	require.Error(t, err)
}

func TestAFaultOfTheStoreIsTriedAgain(t *testing.T) {
	s, b := open(t, "bucket", goodKeys)
	s.faults = 1
	require.NoError(t, b.Put(t.Context(), "01-some-name", []byte("x")))
	require.Len(t, s.asked, 2)
	s.faults = 1000
	require.ErrorContains(t, b.Put(t.Context(), "02-some-name", []byte("x")), "02-some-name")
	_, err := b.Get(t.Context(), "01-some-name")
	require.Error(t, err)
	require.Error(t, b.Delete(t.Context(), "01-some-name"))
}

func TestARefusalIsAnErrorOfEveryCall(t *testing.T) {
	stranger := map[string]string{"AWS_ACCESS_KEY_ID": "OTHER", "AWS_SECRET_ACCESS_KEY": "not a secret"}
	_, unknown := open(t, "bucket", stranger)
	_, nowhere := open(t, "no-such-bucket", goodKeys)
	for _, b := range []*s3.Bucket{unknown, nowhere} {
		require.Error(t, b.Put(t.Context(), "01-some-name", []byte("x")))
		_, err := b.Get(t.Context(), "01-some-name")
		require.Error(t, err)
		require.Error(t, b.Delete(t.Context(), "01-some-name"))
	}
}

func TestAStoreThatHangsHoldsNobodyForEver(t *testing.T) {
	s, b := open(t, "bucket", goodKeys)
	s.stuck = make(chan struct{})
	defer close(s.stuck)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond) // the caller's patience, shorter than the bucket's own
	defer cancel()
	require.ErrorIs(t, b.Put(ctx, "01-some-name", []byte("x")), context.DeadlineExceeded)
	_, err := b.Get(ctx, "01-some-name")
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorIs(t, b.Delete(ctx, "01-some-name"), context.DeadlineExceeded)
}

func TestABadSettingIsRefusedAtOnce(t *testing.T) {
	for setting, why := range map[string]string{
		"s3://":                                   "must be s3://",
		"s3:///prefix":                            "must be s3://",
		"http://bucket":                           "must be s3://",
		"s3://key:secret@bucket":                  "must be s3://",
		"s3://bucket?endpoint=store":              "endpoint",
		"s3://bucket?endpoint=ftp://store":        "endpoint",
		"s3://bucket?endpoint=https://store/path": "endpoint",
		"s3://bucket?acl=public":                  "acl",
	} {
		_, err := s3.Open(setting, func(name string) string { return goodKeys[name] })
		require.ErrorContains(t, err, why, setting)
	}
	for _, missing := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} {
		_, err := s3.Open("s3://bucket", func(name string) string {
			if name == missing {
				return ""
			}
			return goodKeys[name]
		})
		require.ErrorContains(t, err, missing)
	}
	_, err := s3.Open("s3://bucket", func(name string) string { return goodKeys[name] })
	require.NoError(t, err)
}
