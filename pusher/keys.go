package pusher

// MaxKeys is how many members one object may have in JSON from outside.
const MaxKeys = 10_000

// fewKeys is up to how many keys of an object comparing each with each is cheaper than a map.
const fewKeys = 16

// keys are the unescaped names of one object's members, as far as it was read. An object with few, which most
// are, allocates nothing: its keys lie on the stack of whoever reads it.
type keys struct {
	few  [fewKeys][]byte
	n    int                 // how many of few are there
	many map[string]struct{} // all of them, as soon as few is full
}

// add takes a name, or says why the object may not have it.
func (k *keys) add(name []byte) (refusal string) {
	if k.many != nil {
		return k.addToMany(name)
	}
	for _, have := range k.few[:k.n] {
		if string(have) == string(name) {
			return "duplicate key"
		}
	}
	k.few[k.n] = name
	if k.n++; k.n == fewKeys {
		k.many = make(map[string]struct{}, 4*fewKeys)
		for _, have := range k.few {
			k.many[string(have)] = struct{}{}
		}
	}
	return ""
}

func (k *keys) addToMany(name []byte) (refusal string) {
	if _, twice := k.many[string(name)]; twice {
		return "duplicate key"
	}
	if len(k.many) >= MaxKeys {
		return "too many keys"
	}
	k.many[string(name)] = struct{}{}
	return ""
}
