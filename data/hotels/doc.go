// Package hotels holds the data of the course: 32 hotels, each with its
// distance in miles, its rating and its price in dollars. Four tasks use it:
// the price as a line, the price as a curve, hot deal or not, and which of
// three categories.
//
//	all := hotels.Load()
//	train, test := all.Train(), all.Test()
//	scaler := data.FitStandard(train.Features())
//	features := scaler.Transform(train.Features()) // [24, 2]: distance and rating, standardised
//	fmt.Println(features.Rows, features.Cols, test.Prices().Values[0])
//
// # Splits
//
// Split divides the rows in 24 for training and 8 for testing. The task of the
// line, which predicts the price from the distance alone, uses fewer of them:
// LineSplit marks those and is empty for the others.
//
// # Labels
//
// The course prints all distances, ratings and prices, but only some of the
// class labels. The others follow a rule:
//
//   - hot: the printed label, else a rating of at least 3.5 within 2 miles, or
//     of at least 4.2 farther away
//   - category by rating: gold from 3.8, silver from 3.0, else bronze
//
// One printed label breaks the rule: the hotel at 19.8 miles with a rating of
// 3.6 is hot.
package hotels
