package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// logs are the order logs that prepare generates, with their numbers of rows.
var logs = map[string]int{"monday.csv": 400, "friday.csv": 1500, "christmas.csv": 6000}

// prepare writes the order logs into dir.
func prepare(dir string) error {
	if err := os.MkdirAll(filepath.Join(dir, "logs"), 0o755); err != nil {
		return err
	}
	for name, rows := range logs {
		if err := os.WriteFile(filepath.Join(dir, "logs", name), drawLog(rows), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// drawLog returns a log of orders; one row in a hundred has a bad article number.
func drawLog(rows int) []byte {
	random := rand.New(rand.NewPCG(17, uint64(rows)))
	var out bytes.Buffer
	fmt.Fprintln(&out, "order,customer,article,quantity,price")
	for i := range rows {
		number := fmt.Sprintf("40%010d", 1000+random.IntN(200))
		digit := checkDigit(number)
		if random.IntN(100) == 0 {
			digit = (digit + 1) % 10
		}
		fmt.Fprintf(&out, "%d,customer-%03d,%s%d,%d,%d.%02d\n",
			i+1, random.IntN(150), number, digit, 1+random.IntN(9), 1+random.IntN(90), random.IntN(100))
	}
	return out.Bytes()
}

// checkDigit returns the EAN-13 check digit of twelve digits.
func checkDigit(digits string) int {
	sum := 0
	for i, d := range digits {
		sum += int(d-'0') * (1 + 2*(i%2))
	}
	return (10 - sum%10) % 10
}
