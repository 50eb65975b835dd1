// Package tree holds gradient-boosted regression trees on binned features:
// second-order boosting (Chen and Guestrin, XGBoost, KDD 2016, equations 5 to
// 7) with histograms and best-first growth (Ke et al., LightGBM, NeurIPS 2017).
//
// It is small because it needs little: dense numeric features, few of them, one
// output, losses given by their gradients. Training is deterministic for a
// given random source, whatever the number of cores.
package tree
