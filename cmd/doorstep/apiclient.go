package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"doorstep/api"
)

// apiClient speaks to the server as any client would.
type apiClient struct {
	base   string
	client *http.Client
}

// call sends in, if any, as JSON and reads the answer into out, if any. A
// problem is an error.
func (a apiClient) call(ctx context.Context, token, method, path string, in, out any) error {
	body := &bytes.Buffer{}
	if in != nil {
		if err := json.NewEncoder(body).Encode(in); err != nil {
			return err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, a.base+path, body)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Accept-Language", "zh-CN")
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := a.client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode >= http.StatusBadRequest {
		var p api.ItemProblem                    // what a whole request's has too
		_ = json.NewDecoder(res.Body).Decode(&p) // an answer that is no problem is named by its status
		p.Status = res.StatusCode
		return fmt.Errorf("%s %s: %w", method, path, &refusedError{p})
	}
	if out == nil {
		_, err := io.Copy(io.Discard, res.Body) // so that the connection is used again
		return err
	}
	if err := json.NewDecoder(res.Body).Decode(out); err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	return nil
}

// refusedError is a problem as the server told it.
type refusedError struct{ api.ItemProblem }

func (e *refusedError) Error() string {
	return fmt.Sprintf("%d %s %s %v", e.Status, http.StatusText(e.Status), e.Code, e.Errors)
}

// page opens a page and gives its status.
func (a apiClient) page(ctx context.Context, url string) (int, error) {
	res, err := a.open(ctx, url)
	if err != nil {
		return 0, err
	}
	return res.StatusCode, res.Body.Close()
}

// open opens a page as a browser would.
func (a apiClient) open(ctx context.Context, url string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	return a.client.Do(req)
}

// dispatch reports parcels and gives their verdicts.
func (a apiClient) dispatch(ctx context.Context, token string, list ...api.DispatchInput) (api.DispatchResults, error) {
	var out api.DispatchResults
	err := a.call(ctx, token, http.MethodPost, "/v1/dispatches", api.DispatchBatch{Dispatches: list}, &out)
	if err == nil && out.Accepted != len(list) {
		err = fmt.Errorf("%d of %d dispatches were accepted", out.Accepted, len(list))
	}
	return out, err
}
