package wire

// position tells where in a stream of frames a client's bytes end (RFC 6455, section 5.2).
type position struct {
	payload uint64 // bytes of the payload still to come
	length  uint64 // of the payload, as far as the header has told
	header  uint8  // bytes of the header that came
	size    uint8  // of the header, once its second byte has come
}

// between tells whether the next byte begins a frame.
func (p *position) between() bool { return p.payload == 0 && p.header == 0 }

// advance goes on by the bytes that came.
func (p *position) advance(b []byte) {
	for len(b) > 0 {
		if p.payload > 0 {
			n := min(p.payload, uint64(len(b)))
			p.payload -= n
			b = b[n:]
			continue
		}
		p.headerByte(b[0])
		b = b[1:]
	}
}

func (p *position) headerByte(b byte) {
	const maskBit, longer, longest, maskSize = 0x80, 126, 127, 4
	p.header++
	switch {
	case p.header == 1:
		return
	case p.header == 2:
		p.size, p.length = 2, uint64(b&^maskBit)
		switch p.length {
		case longer:
			p.size, p.length = p.size+2, 0
		case longest:
			p.size, p.length = p.size+8, 0
		}
		if b&maskBit != 0 {
			p.size += maskSize
		}
	case p.header <= p.size-maskSize: // A client's frames are masked; others do not get far.
		p.length = p.length<<8 | uint64(b)
	}
	if p.header == p.size {
		p.payload, p.header = p.length, 0
	}
}
