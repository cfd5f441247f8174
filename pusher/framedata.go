package pusher

// FrameData returns the data of a frame that was made here, as a [Value] that points into the frame. It is absent
// when the frame has none.
func FrameData(frame []byte) (Value, error) {
	root, err := ParseJSON(frame)
	if err != nil {
		return Value{}, err
	}
	for m := root.Members(); m.Next(); {
		if string(m.Name()) == "data" {
			return m.Value(), nil
		}
	}
	return Value{}, nil
}

// AppendString appends s, which must be valid UTF-8, as a JSON string, in the way in which frames hold theirs.
func AppendString(dst []byte, s string) []byte { return appendQuoted(dst, s) }
