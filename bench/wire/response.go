package wire

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
)

// Response is the answer to a publish.
type Response struct {
	Status int
	Body   []byte
	Close  bool // the server ends the connection after it
}

// maxBody bounds the body of an answer.
const maxBody = 1 << 20

// ReadResponse looks for an answer at the beginning of b. It returns the bytes it takes, 0 while it is not whole.
func ReadResponse(b []byte) (Response, int, error) {
	end := bytes.Index(b, []byte("\r\n\r\n"))
	if end < 0 {
		if len(b) > maxHead {
			return Response{}, 0, errors.New("the server does not end the head of its answer")
		}
		return Response{}, 0, nil
	}
	line, fields, _ := bytes.Cut(b[:end], []byte("\r\n"))
	r, err := statusLine(line)
	if err != nil {
		return r, 0, err
	}
	length, chunked := 0, false
	for len(fields) > 0 {
		var field []byte
		field, fields, _ = bytes.Cut(fields, []byte("\r\n"))
		name, value, _ := bytes.Cut(field, []byte(":"))
		value = bytes.TrimSpace(value)
		switch {
		case bytes.EqualFold(name, []byte("Content-Length")):
			if length, err = strconv.Atoi(string(value)); err != nil || length < 0 || length > maxBody {
				return r, 0, fmt.Errorf("the server answers with Content-Length %q", value)
			}
		case bytes.EqualFold(name, []byte("Transfer-Encoding")):
			chunked = bytes.EqualFold(value, []byte("chunked"))
		case bytes.EqualFold(name, []byte("Connection")):
			r.Close = bytes.EqualFold(value, []byte("close"))
		}
	}
	rest := b[end+4:]
	if chunked {
		body, n, err := readChunks(rest)
		if n == 0 || err != nil {
			return r, 0, err
		}
		r.Body = body
		return r, end + 4 + n, nil
	}
	if len(rest) < length {
		return r, 0, nil
	}
	r.Body = rest[:length]
	return r, end + 4 + length, nil
}

func statusLine(line []byte) (Response, error) {
	version, rest, _ := bytes.Cut(line, []byte(" "))
	code, _, _ := bytes.Cut(rest, []byte(" "))
	status, err := strconv.Atoi(string(code))
	if !bytes.HasPrefix(version, []byte("HTTP/1.")) || err != nil {
		return Response{}, fmt.Errorf("the server answers a publish with %q", line)
	}
	return Response{Status: status, Close: string(version) == "HTTP/1.0"}, nil
}

// readChunks joins the chunks of a body; 0 bytes taken while it is not whole. Trailers are not expected.
func readChunks(b []byte) ([]byte, int, error) {
	var body []byte
	for at := 0; ; {
		line, _, whole := bytes.Cut(b[at:], []byte("\r\n"))
		if !whole {
			return nil, 0, nil
		}
		size, err := strconv.ParseUint(string(line), 16, 31)
		if err != nil || size > maxBody {
			return nil, 0, fmt.Errorf("the server answers with a chunk of size %q", line)
		}
		from := at + len(line) + 2
		to := from + int(size)
		if len(b) < to+2 {
			return nil, 0, nil
		}
		if at = to + 2; size == 0 {
			return body, at, nil
		}
		body = append(body, b[from:to]...)
	}
}
