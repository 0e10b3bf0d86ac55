# Writes stratified.json: classes, and the validation rows of each fold by
# scikit-learn's StratifiedKFold, whose version it says, without shuffling. Run
# it as python3 stratified.py > stratified.json.
import json
import random

import sklearn
from sklearn.model_selection import StratifiedKFold

random.seed(1)
cases = []
for k, classes in [
    (2, [0, 0, 1, 1]),
    (3, [5, 5, 5, 5, -2, -2, -2, 7]),
    (4, [random.choice([3, 1, 1, 1, 0, 0]) for _ in range(50)]),
    (10, [random.randrange(7) for _ in range(133)]),
]:
    folds = [test.tolist() for _, test in StratifiedKFold(k).split(classes, classes)]
    cases.append({"k": k, "classes": classes, "folds": folds})
print(json.dumps({"scikit-learn": sklearn.__version__, "cases": cases}))
