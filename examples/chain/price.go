package main

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/aquatope/aquatope/examples/fn"
)

type orderLine struct {
	Order    int    `json:"order"`
	Customer string `json:"customer"`
	Article  string `json:"article"`
	Quantity int64  `json:"quantity"`
	Cents    int64  `json:"cents"` // for one piece
}

type orderList struct {
	Log    string      `json:"log"`
	Orders []orderLine `json:"orders"`
}

// statement is what one customer owes. Amounts are in cents.
type statement struct {
	Customer string      `json:"customer"`
	Lines    []orderLine `json:"lines"`
	Net      int64       `json:"net"`
	Discount int64       `json:"discount"`
	Tax      int64       `json:"tax"`
	Total    int64       `json:"total"`
}

type statementList struct {
	Log        string      `json:"log"`
	Statements []statement `json:"statements"`
}

// price groups orders by customer and works out what each owes: 3 % discount
// from 500.00 on, 19 % tax on the rest, halves rounded up.
func price(_ context.Context, in orderList) (statementList, error) {
	of := map[string][]orderLine{}
	for _, o := range in.Orders {
		if o.Quantity < 1 || o.Cents < 1 {
			return statementList{}, fn.Invalidf("order %d: quantity and cents must be above 0", o.Order)
		}
		of[o.Customer] = append(of[o.Customer], o)
	}
	out := statementList{Log: in.Log, Statements: []statement{}}
	for _, customer := range slices.Sorted(maps.Keys(of)) {
		s := statement{Customer: customer, Lines: of[customer]}
		slices.SortFunc(s.Lines, func(a, b orderLine) int { return cmp.Compare(a.Order, b.Order) })
		for _, l := range s.Lines {
			s.Net += l.Quantity * l.Cents
		}
		if s.Net >= 500_00 {
			s.Discount = percent(s.Net, 3)
		}
		s.Tax = percent(s.Net-s.Discount, 19)
		s.Total = s.Net - s.Discount + s.Tax
		out.Statements = append(out.Statements, s)
	}
	return out, nil
}

func percent(cents, rate int64) int64 { return (cents*rate + 50) / 100 }
