package api

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/labstack/echo/v4"

	"doorstep"
)

// maxPointer bounds a pointer that holds names from the body, in bytes.
const maxPointer = 256

// strictJSON is the echo.Binder of request bodies. Names match exactly, none is
// unknown or given twice, the text is UTF-8 with nothing behind it. It is
// encoding/json's second version that can say all this, and where; the first
// cannot.
type strictJSON struct{}

// Bind decodes the body that readBody has read. An empty one unwraps to io.EOF,
// by which generated code knows that an optional body is absent.
func (strictJSON) Bind(into any, c echo.Context) error {
	body, _ := c.Get(bodyKey).([]byte)
	text := bytes.TrimSpace(body)
	switch {
	case len(text) == 0:
		return &refusal{status: http.StatusBadRequest, code: "empty_body", detail: "a JSON object is needed", cause: io.EOF}
	case !utf8.Valid(text):
		return unreadable("invalid_utf8", "", "must be UTF-8")
	case string(text) == "null":
		return unreadable("wrong_type", "", "must be an object")
	}
	return decodeError(json.Unmarshal(body, into, json.RejectUnknownMembers(true)))
}

// decodeError says what kept a body from being decoded, and where.
func decodeError(err error) error {
	var (
		syntax *jsontext.SyntacticError
		shape  *json.SemanticError
	)
	switch {
	case err == nil:
		return nil
	case errors.As(err, &syntax) && errors.Is(err, jsontext.ErrDuplicateName):
		return unreadable("duplicate_field", syntax.JSONPointer, "occurs twice in its object")
	case errors.As(err, &syntax):
		return unreadable("malformed_json", syntax.JSONPointer, fmt.Sprintf("is not JSON at byte %d", syntax.ByteOffset))
	case errors.Is(err, json.ErrUnknownName) && errors.As(err, &shape):
		return unreadable("unknown_field", shape.JSONPointer, "is not a field of this object")
	case errors.As(err, &shape):
		return unreadable("wrong_type", shape.JSONPointer, "has the wrong JSON type")
	}
	return fmt.Errorf("decode body: %w", err)
}

func unreadable(code string, at jsontext.Pointer, detail string) error {
	for len(at) > maxPointer {
		at = at.Parent()
	}
	return &refusal{
		status: http.StatusBadRequest, code: code,
		fields: []doorstep.FieldError{{Pointer: string(at), Code: code, Detail: detail}},
	}
}
