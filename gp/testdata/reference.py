"""Writes reference.json: what scikit-learn 1.2.1 (numpy 1.24, scipy 1.10) says
of a small regression problem. Run: python3 reference.py > reference.json"""
import json
import numpy as np
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import Matern, ConstantKernel, WhiteKernel

rng = np.random.default_rng(7)
X = rng.uniform(0, 1, (12, 3))
y = np.sin(4 * X[:, 0]) + X[:, 1] ** 2 - 0.5 * X[:, 2] + 0.1 * rng.standard_normal(12)
Z = rng.uniform(-0.2, 1.2, (4, 3))
kernel = ConstantKernel(1.7) * Matern([0.4, 0.9, 2.5], nu=2.5) + WhiteKernel(0.02)
g = GaussianProcessRegressor(kernel, optimizer=None, alpha=0).fit(X, y)
mean, cov = g.predict(Z, return_cov=True)
cov = cov - 0.02 * np.eye(4)  # the white kernel is part of scikit-learn's predictive covariance
value, grad = g.log_marginal_likelihood(g.kernel_.theta, eval_gradient=True)
# order of theta: log variance, three log lengths, log noise
loo_mean, loo_var = [], []
for i in range(12):
    keep = np.arange(12) != i
    h = GaussianProcessRegressor(kernel, optimizer=None, alpha=0).fit(X[keep], y[keep])
    m, s = h.predict(X[i:i + 1], return_std=True)
    loo_mean.append(float(m[0]))
    loo_var.append(float(s[0] ** 2))
json.dump(dict(x=X.tolist(), y=y.tolist(), z=Z.tolist(), mean=mean.tolist(), cov=cov.tolist(),
               logLikelihood=float(value), gradient=grad.tolist(), looMean=loo_mean, looVariance=loo_var),
          __import__("sys").stdout, indent=1)
