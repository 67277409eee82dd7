"""Makes golden/science.json: random inputs, and what numpy, scipy and scikit-learn make of them.

    pip install numpy scipy scikit-learn        (made with numpy 2.4.6, scipy 1.17.1, scikit-learn 1.9.1)
    python make_science.py

One object per subject, each with its inputs and the expected outputs; matrices row by row, with their rows as lists.
"""
import itertools
import json
from pathlib import Path

import numpy as np
from scipy import integrate, linalg, ndimage, optimize, spatial, special, stats
from sklearn import metrics
from sklearn.covariance import OAS, LedoitWolf
from sklearn.decomposition import PCA
from sklearn.isotonic import IsotonicRegression

random = np.random.default_rng(20240917)


def noisy_steps(n):
    alpha = np.linspace(0, 1, n)
    return alpha, special.expit((alpha - 0.4) / 0.05) + 0.1 * random.standard_normal(n)


def isotonic():
    cases = []
    for n in (1, 2, 7, 50, 129):
        alpha, curve = noisy_steps(max(n, 2))
        alpha, curve = alpha[:n], curve[:n]
        if n == 50:
            curve = np.round(curve, 1)  # ties
        weights = random.uniform(0.1, 3, n)
        fit = IsotonicRegression().fit(alpha, curve).predict(alpha)
        weighted = IsotonicRegression().fit(alpha, curve, sample_weight=weights).predict(alpha)
        cases.append(dict(curve=curve, weights=weights, fit=fit, weighted=weighted))
    return cases


def quantiles():
    cases = []
    for n in (1, 2, 5, 65):
        values = random.standard_cauchy(n)
        q = np.concatenate([[0, 0.025, 0.25, 0.5, 0.75, 0.975, 1], random.uniform(size=8)])
        often = random.integers(0, 4, n)
        often[0] = 1
        cases.append(dict(values=values, q=q, quantiles=np.quantile(values, q), often=often,
                          repeated=np.quantile(np.repeat(values, often), q)))
    return cases


def covariance():
    cases = []
    for rows, width, offset in ((2, 1, 0), (40, 7, 0), (65, 12, 1000)):
        mixing = random.standard_normal((width, width))
        values = random.standard_normal((rows, width)) @ mixing + offset
        cases.append(dict(rows=values, mean=values.mean(0), covariance=np.cov(values.T).reshape(width, width),
                          likelihood=np.cov(values.T, ddof=0).reshape(width, width)))
    return cases


def distributions():
    cases = []
    for size, spread in ((2, 1), (33, 1), (33, 12), (129, 300)):
        left, right = spread * random.standard_normal((2, size))
        log_p, log_q = special.log_softmax(left), special.log_softmax(right)
        p, q = np.exp(log_p), np.exp(log_q)
        cases.append(dict(p_logits=left, q_logits=right, log_sum_exp=special.logsumexp(left), log_softmax=log_p,
                          kl=np.sum(p * (log_p - log_q)), reverse=np.sum(q * (log_q - log_p)),
                          js=spatial.distance.jensenshannon(p, q, base=2), cross_entropy=-log_p[1],
                          cross_entropy_change=log_p[1] - log_q[1]))
    p = np.array([0.5, 0.25, 0.25, 0, 0])
    q = np.array([0.125, 0.125, 0.25, 0.5, 0])
    zeros = dict(p=p, q=q, kl=special.rel_entr(p, q).sum(), js=spatial.distance.jensenshannon(p, q, base=2))
    return dict(logits=cases, zeros=zeros)


def distances():
    cases = []
    for size in (1, 7, 65):
        a, b = random.standard_normal((2, size))
        cases.append(dict(a=a, b=b, l1=spatial.distance.minkowski(a, b, 1), l2=spatial.distance.euclidean(a, b),
                          l3=spatial.distance.minkowski(a, b, 3), l25=spatial.distance.minkowski(a, b, 2.5),
                          largest=spatial.distance.chebyshev(a, b), cosine=spatial.distance.cosine(a, b)))
    return cases


def circles():
    """geometric_slerp of unit vectors; rotations as matrix exponentials of skew-symmetric generators."""
    cases = []
    for size in (2, 3, 17):
        a, b, d1, d2 = random.standard_normal((4, size))
        if size == 3:
            b = -a + 0.3 * b  # obtuse
        t = np.array([0, 0.1, 0.5, 0.8, 1])
        unit = lambda x: x / np.linalg.norm(x)
        case = dict(a=a, b=b, t=t, unit_slerp=spatial.geometric_slerp(unit(a), unit(b), t),
                    norms=(1 - t) * np.linalg.norm(a) + t * np.linalg.norm(b))
        e0 = unit(a)
        e1 = unit(d1 - e0 * (e0 @ d1))
        angle = 0.7
        case.update(d1=d1, angle=angle, turned=linalg.expm(angle * (np.outer(e1, e0) - np.outer(e0, e1))) @ a)
        if size > 2:
            e2 = unit(d2 - e0 * (e0 @ d2) - e1 * (e1 @ d2))
            alpha = (0.4, -0.9)
            generator = sum(x * (np.outer(e, e0) - np.outer(e0, e)) for x, e in zip(alpha, (e1, e2)))
            case.update(d2=d2, alpha=alpha, turned_2d=linalg.expm(generator) @ a,
                        added_2d=a + np.linalg.norm(a) * (np.sin(alpha[0]) * e1 + np.sin(alpha[1]) * e2))
        cases.append(case)
    return cases


def correlations():
    cases = []
    for n in (3, 50, 51):
        x = random.standard_normal(n)
        y = 0.5 * x + random.standard_normal(n)
        if n == 51:
            x, y = np.round(x), np.round(y)  # ties
        cases.append(dict(x=x, y=y, pearson=stats.pearsonr(x, y).statistic, spearman=stats.spearmanr(x, y).statistic,
                          ranks=stats.rankdata(x)))
    return cases


def normal():
    p = np.array([1e-300, 1e-12, 0.001, 0.025, 0.3, 0.5, 0.7, 0.975, 0.999, 1 - 1e-12])
    return dict(p=p, z=stats.norm.ppf(p))


def shares():
    cases = []
    for k, n in ((0, 20), (3, 20), (20, 20), (9, 9999)):
        for level in (0.9, 0.95):
            low, high = stats.binomtest(k, n).proportion_ci(level, method="wilson")
            cases.append(dict(k=k, n=n, level=level, low=low, high=high))
    return cases


def bins():
    x = random.standard_normal(120)
    y = x**2 + random.standard_normal(120)
    medians, edges, _ = stats.binned_statistic(x, y, "median", bins=6)
    return dict(x=x, y=y, edges=edges, medians=medians)


def regions():
    labels = np.kron(random.integers(0, 3, (7, 9)), np.ones((2, 2), int))
    labels[random.uniform(size=labels.shape) < 0.1] = 3
    areas, count = [], 0
    for value in range(4):
        components, number = ndimage.label(labels == value)
        count += number
        areas += np.bincount(components.ravel())[1:].tolist()
    return dict(labels=labels, count=count, areas=sorted(areas))


def effects():
    x, y = random.standard_normal(30) + 0.4, random.standard_normal(25)
    x[:5] = y[:5]  # ties
    pooled = ((len(x) - 1) * x.var(ddof=1) + (len(y) - 1) * y.var(ddof=1)) / (len(x) + len(y) - 2)
    return dict(x=x, y=y, cohens_d=(x.mean() - y.mean()) / np.sqrt(pooled),
                cliffs_delta=2 * stats.mannwhitneyu(x, y).statistic / len(x) / len(y) - 1)


def permutations():
    x, y = random.standard_normal(7) + 1, random.standard_normal(6)
    mean_difference = lambda a, b: a.mean() - b.mean()
    independent = stats.permutation_test((x, y), mean_difference, n_resamples=np.inf)
    differences = random.standard_normal(11) + 0.5
    flips = stats.permutation_test((differences,), np.mean, permutation_type="samples", n_resamples=np.inf)
    return dict(x=x, y=y, two_sample=independent.pvalue, differences=differences, sign_flip=flips.pvalue)


def superellipse():
    cases = []
    for p in (1.3, 2, 2.42, 3.4):
        phi = random.uniform(0, np.pi / 2, 60)
        radius = (np.cos(phi) ** p + np.sin(phi) ** p) ** (-1 / p) * (1 + 0.03 * random.standard_normal(60))
        x, y = radius * np.cos(phi), radius * np.sin(phi)
        used = (x > 0.05) & (x < 1.5) & (y > 0.05) & (y < 1.5)
        loss = lambda p: np.sum((x[used] ** p + y[used] ** p - 1) ** 2)
        fit = optimize.minimize_scalar(loss, bounds=(0.5, 10), method="bounded", options=dict(xatol=1e-12)).x
        cases.append(dict(planted=p, x=x, y=y, fit=fit))
    return cases


def grids():
    return [dict(first=first, last=last, count=count, grid=np.linspace(first, last, count))
            for first, last, count in ((0, 1, 50), (-0.25, 1.25, 61), (0, np.pi / 3, 31), (3, -2, 2))]


def directions():
    cases = []
    for n, d in ((40, 3), (12, 7), (8, 20)):
        rows = random.standard_normal((n, d)) @ (np.eye(d) + random.standard_normal((d, d))) + random.standard_normal(d)
        ledoit_wolf = LedoitWolf().fit(rows)
        pca = PCA(3, svd_solver="full").fit(rows)
        cases.append(dict(rows=rows, oas=OAS().fit(rows).shrinkage_, ledoit_wolf=ledoit_wolf.shrinkage_, shrunk=ledoit_wolf.covariance_,
                          components=pca.components_, variances=pca.explained_variance_))
    return cases


def labelings():
    """Entropies in nats of noisy copies with renamed labels, of unrelated ones, and of the ends: one label, singletons."""
    random = np.random.default_rng(1)
    pairs = [([7], [-3]), ([0, 0, 1, 1], [5, 5, -2, -2]), ([3] * 5, [3] * 5), ([3] * 5, [0, 1, 1, 2, 2]),
             (np.arange(6), np.arange(6)[::-1]), (np.arange(6), [0, 0, 0, 1, 1, 2])]
    for n, labels, share in ((7, 3, 1), (40, 5, 0.3), (41, 12, 1), (300, 4, 0.1), (301, 60, 0.5), (2000, 9, 0.9)):
        x = random.integers(0, labels, n)
        y = np.where(random.uniform(size=n) < share, random.integers(0, labels, n), 10 - x)
        pairs.append((x, y))
    cases = []
    for x, y in pairs:
        x, y = np.asarray(x), np.asarray(y)
        n = len(x)
        table = metrics.cluster.contingency_matrix(x, y)
        joint, row, column = stats.entropy(table.ravel()), stats.entropy(table.sum(1)), stats.entropy(table.sum(0))
        corrected = lambda entropy, counts: entropy + ((counts > 0).sum() - 1) / (2 * n)
        mm = [corrected(row, table.sum(1)), corrected(column, table.sum(0)), corrected(joint, table)]
        summary = lambda x, y, joint: [x, y, joint - y, joint - x, x + y - joint]
        cases.append(dict(x=x, y=y, cells=table[table > 0], plug_in=summary(row, column, joint), miller_madow=summary(*mm),
                          mutual=metrics.mutual_info_score(x, y), homogeneity=metrics.homogeneity_score(x, y),
                          completeness=metrics.completeness_score(x, y),
                          expected=metrics.cluster.expected_mutual_information(table, n),
                          adjusted=metrics.adjusted_mutual_info_score(x, y)))
    return cases


def assignments():
    random = np.random.default_rng(2)
    cases = []
    for rows, columns in ((1, 1), (1, 5), (5, 1), (7, 7), (6, 11), (11, 6), (24, 24), (9, 31)):
        for ties in (False, True):
            weights = random.integers(-2, 3, (rows, columns)) if ties else random.standard_normal((rows, columns))
            row, column = optimize.linear_sum_assignment(weights, maximize=True)
            column_of = np.full(rows, -1)
            column_of[row] = column
            cases.append(dict(weights=weights, ties=ties, column_of=column_of, total=weights[row, column].sum()))
    return cases


def partial_correlations():
    random = np.random.default_rng(3)
    cases = []
    for n, count, ties in ((5, 1, False), (30, 0, True), (30, 2, False), (81, 4, True), (120, 3, False)):
        covariates = random.standard_normal((count, n))
        x, y = random.standard_normal((2, n)) + 2 * covariates.sum(0)
        if ties:
            x, y, covariates = np.round(x), np.round(y), np.round(covariates)
        if count == 4:
            covariates[3] = 1 - 2 * covariates[0]  # says nothing new
        def partial(x, y, covariates):
            design = np.column_stack([np.ones(n), *covariates])
            left = [v - design @ np.linalg.lstsq(design, v)[0] for v in (x, y)]
            return stats.pearsonr(*left).statistic
        ranks = [stats.rankdata(v) for v in covariates]
        cases.append(dict(x=x, y=y, covariates=covariates, pearson=partial(x, y, covariates),
                          spearman=partial(stats.rankdata(x), stats.rankdata(y), ranks)))
    return cases


def bands():
    random = np.random.default_rng(4)
    cases = []
    for replicates, columns, level in ((2, 1, 0.5), (39, 9, 0.9), (60, 12, 0.95)):
        value = 1 - np.exp(-np.arange(columns) / 2)
        drawn = value + 0.1 * random.standard_normal((replicates, columns)).cumsum(1)
        drawn[:, columns // 2] = drawn[0, columns // 2] if columns > 1 else drawn[:, 0]
        s = drawn.std(0, ddof=1)
        if columns > 1:
            s[columns // 2] = 0
        counts = s > 0
        largest = (np.abs(drawn - value)[:, counts] / s[counts]).max(1)
        q = np.quantile(largest, np.clip(((replicates + 1) * level - 1) / (replicates - 1), 0, 1))
        low, high = value - q * s, value + q * s
        outside = np.flatnonzero((value[-1] < low) | (value[-1] > high))
        cases.append(dict(value=value, replicates=drawn, level=level, factor=q, low=low, high=high,
                          first_inside=outside[-1] + 1 if len(outside) else 0))
    return cases


def associations():
    """Exact p: of all permutations."""
    random = np.random.default_rng(5)
    x = random.standard_normal(7)
    y = random.standard_normal((3, 7)) + np.outer([0.3, 0.9, 0], x)
    r = np.array([[np.corrcoef(order, one)[0, 1] for one in y] for order in itertools.permutations(x)])
    alone = (np.abs(r) >= np.abs(r[0]) - 1e-12).mean(0)
    family = (np.abs(r).max(1)[:, None] >= np.abs(r[0]) - 1e-12).mean(0)
    return dict(x=x, y=y, statistic=r[0], alone=alone, family=family)


def dilogarithms():
    x = np.concatenate([-np.logspace(-12, 300, 53), np.linspace(-3, 1, 41), 1 - np.logspace(-15, -1, 8), [0]])
    return dict(x=x, li2=special.spence(1 - x))


def activation_integrals():
    """Of GELU with tanh by quadrature, whose interval ends where nothing is left to add."""
    z = np.concatenate([np.linspace(-12, 12, 49), [-700, -40, -1e-3, 1e-3, 40, 700]])
    normal = stats.norm
    silu = z * np.logaddexp(0, z) + special.spence(1 + np.exp(z)) + np.pi**2 / 12
    gelu = ((z**2 - 1) * normal.cdf(z) + z * normal.pdf(z)) / 2 + 0.25
    act = lambda t: t * (1 + np.tanh(np.sqrt(2 / np.pi) * (t + 0.044715 * t**3))) / 2
    below = lambda a: integrate.quad(act, 0, -min(a, 10), epsabs=1e-14, epsrel=1e-13, limit=500)[0]
    tanh = [below(-one) if one < 0 else one**2 / 2 - below(one) for one in z]
    for kind, closed in ((special.expit, silu), (normal.cdf, gelu)):  # the closed forms are what they should be
        for one, value in zip(z[:49], closed):
            assert abs(integrate.quad(lambda t: t * kind(t), 0, one, epsabs=1e-13)[0] - value) < 1e-11 * max(1, value)
    return dict(z=z, silu=silu, gelu=gelu, gelu_tanh=tanh, relu=np.maximum(z, 0) ** 2 / 2)


def patterns():
    random = np.random.default_rng(6)
    cases = []
    for keys, spread in ((1, 1), (2, 3), (33, 1), (129, 40)):
        scores = spread * random.standard_normal(keys)
        beta, query = keys**-0.5, random.standard_normal(8)
        ordered = np.sort(np.concatenate([[-np.inf], scores]))
        cases.append(dict(scores=scores, beta=beta, query_norm_squared=query @ query,
                          entropy=stats.entropy(special.softmax(scores)), likeliest=scores.argmax(),
                          margin=ordered[-1] - ordered[-2] if keys > 1 else None,
                          energy=query @ query / 2 - special.logsumexp(scores) / beta))
    return cases


def plain(value):
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    if isinstance(value, np.ndarray):
        return value.tolist()
    return value.item() if isinstance(value, np.generic) else value


subjects = dict(isotonic=isotonic, quantiles=quantiles, covariance=covariance, distributions=distributions, distances=distances,
                circles=circles, correlations=correlations, normal=normal, shares=shares, bins=bins, regions=regions,
                effects=effects, permutations=permutations, superellipse=superellipse, grids=grids,
                directions=directions, labelings=labelings, assignments=assignments,
                partial_correlations=partial_correlations, bands=bands, associations=associations,
                dilogarithms=dilogarithms, activation_integrals=activation_integrals, patterns=patterns)
lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(plain(make()))}" for name, make in subjects.items())
(Path(__file__).parent / "science.json").write_text("{\n" + lines + "\n}\n")
