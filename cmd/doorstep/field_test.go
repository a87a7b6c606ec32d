package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/require"
)

// encoded is the JSON of a body.
func encoded(t *testing.T, body any) string {
	t.Helper()
	text, err := json.Marshal(body)
	require.NoError(t, err)
	return string(text)
}

// place is where a value stands in a body: names and indices.
type place []any

func (p place) pointer() string {
	text := ""
	for _, step := range p {
		text += fmt.Sprintf("/%v", step)
	}
	return text
}

// leaves lists the places of all values that are no object or list, sorted.
func leaves(v any, at place) (list []place) {
	switch v := v.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			list = append(list, leaves(v[name], append(slices.Clone(at), name))...)
		}
	case []any:
		for i := range v {
			list = append(list, leaves(v[i], append(slices.Clone(at), i))...)
		}
	default:
		list = append(list, at)
	}
	return list
}

// with is the body with another value at a place.
func with(t *testing.T, body any, at place, value any) any {
	t.Helper()
	var v any
	require.NoError(t, json.Unmarshal([]byte(encoded(t, body)), &v))
	inner := v
	for _, step := range at[:len(at)-1] {
		inner = stepInto(inner, step)
	}
	switch in := inner.(type) {
	case map[string]any:
		in[at[len(at)-1].(string)] = value
	case []any:
		in[at[len(at)-1].(int)] = value
	}
	return v
}

// stepInto is what stands in an object under a name, or in a list at an index.
func stepInto(v, step any) any {
	if name, ok := step.(string); ok {
		return v.(map[string]any)[name]
	}
	return v.([]any)[step.(int)]
}

// fields lists the places of a sample's values with the values.
func fields(t *testing.T, body any) map[string]field {
	t.Helper()
	var v any
	require.NoError(t, json.Unmarshal([]byte(encoded(t, body)), &v))
	all := map[string]field{}
	for _, at := range leaves(v, nil) {
		value := v
		for _, step := range at {
			value = stepInto(value, step)
		}
		all[at.pointer()] = field{at, value}
	}
	return all
}

// field is a value and its place in a body.
type field struct {
	place place
	value any
}

// wrongScalar is a text for a number and the other way round.
func wrongScalar(v any) any {
	if _, ok := v.(string); ok {
		return 17
	}
	return "seventeen"
}

// scalars lists the pointers of all values of a schema that are no object or
// list, with 0 for the place in a list.
func scalars(schema *openapi3.Schema, at string) (list []string) {
	for _, part := range schema.AllOf {
		schema = part.Value
	}
	switch {
	case schema.Items != nil:
		return scalars(schema.Items.Value, at+"/0")
	case schema.Type.Is(openapi3.TypeObject):
		for name, property := range schema.Properties {
			list = append(list, scalars(property.Value, at+"/"+name)...)
		}
		return list
	}
	return []string{at}
}

// schemaAt finds the schema of a field; nil where it is a free-form object's.
func schemaAt(schema *openapi3.Schema, at place) *openapi3.Schema {
	for _, step := range at {
		for _, part := range schema.AllOf {
			schema = part.Value
		}
		inner := schema.Items
		if name, ok := step.(string); ok {
			inner = schema.Properties[name]
		}
		if inner == nil {
			return nil
		}
		schema = inner.Value
	}
	return schema
}
