package rpc

import (
	"errors"
	"fmt"
	"regexp"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// strictJSON reads the JSON of requests and refuses what it does not know. Connect's own codec leaves out fields that are
// spelled wrong, so that an event without its data would be published as if that had been meant.
type strictJSON struct{ name string }

// Name implements connect.Codec.
func (c strictJSON) Name() string { return c.name }

// Marshal implements connect.Codec.
func (strictJSON) Marshal(message any) ([]byte, error) {
	m, ok := message.(proto.Message)
	if !ok {
		return nil, fmt.Errorf("%T is no protobuf message", message)
	}
	return protojson.Marshal(m)
}

// where is how protojson begins its errors, with spaces that change from build to build.
var where = regexp.MustCompile(`^proto:\s+(\(line \d+:\d+\): )?`)

// Unmarshal implements connect.Codec.
func (strictJSON) Unmarshal(data []byte, message any) error {
	m, ok := message.(proto.Message)
	if !ok {
		return fmt.Errorf("%T is no protobuf message", message)
	}
	if len(data) == 0 {
		return errors.New("the body is empty; send a JSON object")
	}
	if err := protojson.Unmarshal(data, m); err != nil {
		return errors.New(where.ReplaceAllString(err.Error(), "${1}")) //nolint:err113 // A text for people, without names of Go.
	}
	return nil
}
