"""The sentences of which samples for measuring are made, the same in three languages; they speak of no real
city."""

# ruff: noqa: E501  # one sentence, one line

from __future__ import annotations

MARKS = {"en": "(measuring sample {number})", "ko": "(측정용 표본 {number})", "fr": "(échantillon de mesure {number})"}
CITY_WORDS = {"en": "the city", "ko": "시", "fr": "la ville"}

TOPICS = {
    "en": (
        "Night buses for shift workers",
        "One counter for all permits",
        "Open budget in plain words",
        "Sensors that report full bins",
        "Free courses for older residents",
        "Street repairs by telephone photo",
        "A map of quiet routes",
        "Waiting times of clinics online",
        "Flood warnings by district",
        "Shared data of water meters",
        "Libraries open at weekends",
        "A chat service for newcomers",
    ),
    "ko": (
        "교대 근무자를 위한 심야 버스",
        "모든 허가를 한 창구에서",
        "쉬운 말로 보는 열린 예산",
        "가득 찬 쓰레기통을 알리는 센서",
        "어르신을 위한 무료 강좌",
        "휴대전화 사진으로 하는 도로 보수",
        "조용한 길 지도",
        "온라인 진료 대기 시간",
        "구역별 홍수 경보",
        "수도 계량기 자료 공유",
        "주말에도 여는 도서관",
        "새 주민을 위한 대화 서비스",
    ),
    "fr": (
        "Bus de nuit pour le travail posté",
        "Un guichet pour tous les permis",
        "Le budget ouvert en mots simples",
        "Des capteurs qui signalent les bacs pleins",
        "Cours gratuits pour les aînés",
        "Réparer la rue avec une photo",
        "Une carte des chemins calmes",
        "Attente des cliniques en ligne",
        "Alertes de crue par quartier",
        "Données partagées des compteurs d’eau",
        "Bibliothèques ouvertes le week-end",
        "Un service de dialogue pour nouveaux venus",
    ),
}
SUMMARIES = {
    "en": "{topic}: a text without a claim, made for measuring and placed in {city}. It tells how {word} might plan such a service, test it in {number} places, listen to residents and offices, and keep what works. Nothing in it reports a fact; it only has the length and the shape of a real summary.",
    "ko": "{topic}: 측정을 위해 만든 글로, {city}에 관한 어떤 주장도 담지 않는다. {word}가 이런 서비스를 어떻게 계획하고 {number}곳에서 시험하며 주민과 부서의 의견을 듣고 잘되는 것을 남길지를 이야기한다. 사실을 보고하지 않으며 실제 요약과 같은 길이와 모양만 갖춘다.",
    "fr": "{topic} : un texte sans affirmation, fait pour la mesure et placé à {city}. Il raconte comment {word} pourrait prévoir un tel service, l’essayer dans {number} lieux, écouter habitants et bureaux, et garder ce qui marche. Rien n’y rapporte un fait ; il n’a que la longueur et la forme d’un vrai résumé.",
}
HEADINGS = {
    "en": ("The situation before", "Aims and strategy", "Means", "How it was done", "Results"),
    "ko": ("이전 상황", "목표와 전략", "자원", "추진 과정", "결과"),
    "fr": ("La situation d’avant", "Buts et stratégie", "Moyens", "Déroulement", "Résultats"),
}
BODIES = {
    "en": (
        (
            "People had to visit {number} offices before anything began.",
            "Nobody could see where a request had stopped.",
            "Forms existed on paper only and were filled in twice.",
            "Complaints came late, and mostly from those who knew whom to call.",
            "Offices kept lists of their own that never agreed.",
            "Visitors waited most of a morning for a short answer.",
        ),
        (
            "The first aim was to make every step visible.",
            "The second aim was to ask for each fact only once.",
            "The plan began with {number} streets and a clear end date.",
            "Success was defined before anything was bought.",
            "Residents chose the order in which parts were built.",
            "What failed in the trial was to be dropped without blame.",
        ),
        (
            "A team of {number} people from several offices shared one room.",
            "Existing machines were used as far as they went.",
            "The software was built from parts that other cities publish.",
            "Training took two afternoons for each employee.",
            "No new budget line was opened in the first year.",
            "A university helped with the questions of the survey.",
        ),
        (
            "Work went in rounds of {number} days with a visit at the end of each.",
            "Each round began with what residents had said in the last.",
            "The old way stayed open beside the new one.",
            "Texts were tested with readers before they were translated.",
            "Mistakes were written on a public page with their repair.",
            "Every district named one person who could decide.",
        ),
        (
            "Most requests now end within {number} days.",
            "The telephone rings less, and for harder questions.",
            "Staff say that they know sooner what is wrong.",
            "Two neighbouring places asked for the plans.",
            "The survey was repeated with the same questions.",
            "What could not be counted is told in words.",
        ),
    ),
    "ko": (
        (
            "무엇이든 시작하려면 먼저 {number}개 부서를 찾아가야 했다.",
            "신청이 어디에서 멈추었는지 아무도 볼 수 없었다.",
            "서식은 종이로만 있었고 두 번씩 작성했다.",
            "민원은 늦게 들어왔고 대개 누구에게 전화할지 아는 사람의 것이었다.",
            "부서마다 따로 만든 목록은 서로 맞지 않았다.",
            "방문자는 짧은 답을 들으려고 오전 대부분을 기다렸다.",
        ),
        (
            "첫째 목표는 모든 단계를 보이게 하는 것이었다.",
            "둘째 목표는 같은 사실을 한 번만 묻는 것이었다.",
            "계획은 {number}개 거리와 분명한 종료일로 시작했다.",
            "무엇을 사기 전에 성공의 뜻을 먼저 정했다.",
            "어느 부분부터 만들지는 주민이 골랐다.",
            "시험에서 실패한 것은 탓하지 않고 버리기로 했다.",
        ),
        (
            "여러 부서에서 온 {number}명이 한 방을 함께 썼다.",
            "있던 장비를 쓸 수 있는 데까지 썼다.",
            "소프트웨어는 다른 도시가 공개한 부품으로 만들었다.",
            "교육은 직원마다 오후 두 번이면 되었다.",
            "첫해에는 새 예산 항목을 만들지 않았다.",
            "설문 문항은 대학이 도왔다.",
        ),
        (
            "{number}일 단위로 일하고 끝날 때마다 현장을 찾았다.",
            "매번 지난번에 주민이 한 말에서 시작했다.",
            "옛 방식도 새 방식 곁에 열어 두었다.",
            "글은 번역하기 전에 독자와 함께 시험했다.",
            "잘못은 고친 내용과 함께 공개 면에 적었다.",
            "구역마다 결정할 수 있는 한 사람을 정했다.",
        ),
        (
            "이제 대부분의 신청이 {number}일 안에 끝난다.",
            "전화는 줄었고 더 어려운 질문이 온다.",
            "직원들은 무엇이 잘못되었는지 더 빨리 안다고 말한다.",
            "이웃한 두 곳이 설계를 요청했다.",
            "같은 문항으로 설문을 되풀이했다.",
            "셀 수 없는 것은 말로 적었다.",
        ),
    ),
    "fr": (
        (
            "Il fallait passer par {number} bureaux avant que rien ne commence.",
            "Personne ne voyait où une demande s’était arrêtée.",
            "Les formulaires n’existaient que sur papier et se remplissaient deux fois.",
            "Les plaintes venaient tard, et surtout de ceux qui savaient qui appeler.",
            "Chaque bureau tenait ses listes, qui ne concordaient jamais.",
            "On attendait presque une matinée pour une courte réponse.",
        ),
        (
            "Le premier but était de rendre chaque étape visible.",
            "Le deuxième but était de ne demander chaque fait qu’une fois.",
            "Le plan a commencé par {number} rues et une date de fin claire.",
            "Le succès a été défini avant tout achat.",
            "Les habitants ont choisi l’ordre des travaux.",
            "Ce qui échouait à l’essai devait être abandonné sans reproche.",
        ),
        (
            "Une équipe de {number} personnes de plusieurs bureaux a partagé une pièce.",
            "Les machines présentes ont servi autant que possible.",
            "Le logiciel vient de pièces que d’autres villes publient.",
            "La formation a pris deux après-midi par agent.",
            "Aucune ligne de budget n’a été ouverte la première année.",
            "Une université a aidé pour les questions de l’enquête.",
        ),
        (
            "Le travail allait par tours de {number} jours, avec une visite à la fin.",
            "Chaque tour partait de ce que les habitants avaient dit au précédent.",
            "L’ancienne voie est restée ouverte à côté de la nouvelle.",
            "Les textes ont été essayés avec des lecteurs avant d’être traduits.",
            "Les erreurs figuraient sur une page publique avec leur correction.",
            "Chaque quartier a nommé une personne qui pouvait décider.",
        ),
        (
            "La plupart des demandes finissent en {number} jours.",
            "Le téléphone sonne moins, pour des questions plus difficiles.",
            "Les agents disent savoir plus tôt ce qui ne va pas.",
            "Deux voisines ont demandé les plans.",
            "L’enquête a été refaite avec les mêmes questions.",
            "Ce qui ne se compte pas est dit en mots.",
        ),
    ),
}
