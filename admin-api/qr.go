package adminapi

import (
	"fmt"
	"image/color"
	"strings"

	"github.com/boombuler/barcode/qr"
)

// quietZone is the white around a QR code, in modules, without which readers do not find it.
const quietZone = 4

// qrCode returns a text as a QR code: how many modules a side has, and its dark ones as the path of an SVG.
func qrCode(text string) (size int, path string, err error) {
	code, err := qr.Encode(text, qr.M, qr.Unicode)
	if err != nil {
		return 0, "", fmt.Errorf("make a QR code: %w", err)
	}
	side := code.Bounds().Dx()
	dark := func(x, y int) bool { return x < side && code.At(x, y) == color.Black }
	var b strings.Builder
	for y := range side {
		for x := 0; x < side; x++ {
			run := 0
			for dark(x+run, y) {
				run++
			}
			if run > 0 {
				fmt.Fprintf(&b, "M%d %dh%dv1h-%dz", x+quietZone, y+quietZone, run, run)
				x += run
			}
		}
	}
	return side + 2*quietZone, b.String(), nil
}
