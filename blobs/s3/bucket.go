// Package s3 keeps blobs in a bucket of any store that speaks S3's protocol. It
// alone imports a client for it.
package s3

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// Bucket keeps each blob as one object.
type Bucket struct {
	client *minio.Client
	bucket string
	prefix string
}

const (
	patience = 20 * time.Second // for one object, repeats included
	attempts = 3                // of a request that found no answer
	mostRead = 32 << 20         // bytes: no blob of ours is as large
)

// defaults are AWS's own.
const (
	defaultEndpoint = "https://s3.amazonaws.com"
	defaultRegion   = "us-east-1"
)

// Open reads a setting such as
// "s3://bucket/prefix?endpoint=https://store.example&region=eu-1". Endpoint and
// region are AWS's if absent. Keys come from getenv, under the names that AWS's
// own tools use.
func Open(setting string, getenv func(string) string) (*Bucket, error) {
	u, err := url.Parse(setting)
	if err != nil || u.Scheme != "s3" || u.Host == "" || u.User != nil || u.Fragment != "" {
		return nil, errors.New("must be s3://bucket/prefix?endpoint=URL&region=NAME")
	}
	for name := range u.Query() {
		if name != "endpoint" && name != "region" {
			return nil, fmt.Errorf("%q is not known: only endpoint and region are", name)
		}
	}
	endpoint, region := u.Query().Get("endpoint"), u.Query().Get("region")
	style := minio.BucketLookupPath // what stores other than AWS's understand
	if endpoint == "" {
		endpoint, style = defaultEndpoint, minio.BucketLookupAuto
	}
	if region == "" {
		region = defaultRegion
	}
	at, err := url.Parse(endpoint)
	if err != nil || at.Scheme != "http" && at.Scheme != "https" || at.Host == "" || strings.Trim(at.Path, "/") != "" {
		return nil, errors.New("endpoint must be a URL such as https://store.example")
	}
	key, secret := getenv("AWS_ACCESS_KEY_ID"), getenv("AWS_SECRET_ACCESS_KEY")
	if key == "" || secret == "" {
		return nil, errors.New("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY must be set")
	}
	client, err := minio.New(at.Host, &minio.Options{
		Creds:  credentials.NewStaticV4(key, secret, getenv("AWS_SESSION_TOKEN")),
		Secure: at.Scheme == "https", Region: region, BucketLookup: style, MaxRetries: attempts,
	})
	if err != nil {
		return nil, err
	}
	return &Bucket{client, u.Host, strings.Trim(u.Path, "/")}, nil
}

func (b *Bucket) object(name string) string { return path.Join(b.prefix, name) }

// Put writes a blob; the store acknowledges it once it is durable.
func (b *Bucket) Put(ctx context.Context, name string, body []byte) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	_, err := b.client.PutObject(ctx, b.bucket, b.object(name), bytes.NewReader(body), int64(len(body)), minio.PutObjectOptions{
		ContentType: "application/octet-stream", DisableMultipart: true,
	})
	return named(name, err)
}

// Get reads a blob.
func (b *Bucket) Get(ctx context.Context, name string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	object, err := b.client.GetObject(ctx, b.bucket, b.object(name), minio.GetObjectOptions{})
	if err != nil {
		return nil, named(name, err)
	}
	defer object.Close()
	body, err := io.ReadAll(io.LimitReader(object, mostRead))
	if minio.ToErrorResponse(err).Code == minio.NoSuchKey {
		err = fs.ErrNotExist
	}
	return body, named(name, err)
}

// Delete removes a blob. One that is not there is no error.
func (b *Bucket) Delete(ctx context.Context, name string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err := b.client.RemoveObject(ctx, b.bucket, b.object(name), minio.RemoveObjectOptions{})
	if minio.ToErrorResponse(err).Code == minio.NoSuchKey {
		return nil
	}
	return named(name, err)
}

func named(name string, err error) error {
	if err != nil {
		return fmt.Errorf("blob %s: %w", name, err)
	}
	return nil
}
