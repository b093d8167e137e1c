"""Names of people who do not exist: our own lists, commonest first.

Each list is used with falling weights, so that the first names are met far more
often than the last. Hyphens, apostrophes, accents and letters outside ASCII are
among them on purpose: real registers hold them, and matching must bear them.

Source: domain research 11.3; nobody's register was copied.
"""

from __future__ import annotations

from types import MappingProxyType

from gateway.synth.draw import listed

# Key: (heritage, sex, generation). Generation "" stands for every generation.
FORENAMES: MappingProxyType[tuple[str, str, str], tuple[str, ...]] = MappingProxyType(
    {
        ("british", "1", "older"): listed(
            "John David Michael Peter Robert Alan Brian William Keith James Kenneth Roger"
            " Anthony Ronald Derek Raymond Colin Barry Dennis Terence Graham Geoffrey George"
            " Malcolm Richard Trevor Thomas Roy Donald Norman Eric Stanley Leslie Harold"
            " Frederick Albert Ernest Gordon Douglas Stuart Clive Maurice Arthur Cyril Edwin"
        ),
        ("british", "2", "older"): listed(
            "Margaret Jean Patricia Susan Christine Maureen Barbara Ann Mary Sheila Pauline"
            " Carol Joan Sandra Linda Brenda Janet Dorothy Marjorie Kathleen Joyce Valerie"
            " Doreen Shirley Irene Gillian Judith Eileen Hilary Beryl Audrey Marion Sylvia"
            " Elizabeth Hazel Norma Edna Vera Hilda Mavis Rita Winifred Gladys Elsie Muriel"
        ),
        ("british", "1", "middle"): listed(
            "Paul Mark Andrew David Stephen Christopher Matthew James Daniel Michael Richard"
            " Lee Robert Simon Craig Ian Gary Darren Jonathan Neil Adam Steven Jason Stuart"
            " Philip Martin Kevin Wayne Scott Dean Anthony Carl Gareth Nicholas Benjamin"
            " Thomas Ryan Shaun Graeme Rhys Timothy Edward Alexander Duncan Russell Nathan"
            " Marcus Jean-Paul Dafydd Hywel"
        ),
        ("british", "2", "middle"): listed(
            "Sarah Claire Nicola Emma Lisa Joanne Michelle Helen Karen Samantha Victoria"
            " Rachel Amanda Rebecca Laura Louise Julie Kelly Donna Jennifer Tracey Deborah"
            " Catherine Alison Kerry Gemma Natalie Stacey Lindsey Katherine Leanne Hayley"
            " Angela Melanie Dawn Ruth Vanessa Rhiannon Angharad Zoe Heather Anne-Marie"
            " Kirsty Danielle Charlotte Jo-Anne Zoë Renée"
        ),
        ("british", "1", "younger"): listed(
            "Oliver Jack Harry George Noah Charlie Jacob Alfie Freddie Oscar Leo Archie Theo"
            " Thomas Joshua Ethan James William Henry Isaac Lucas Max Logan Mason Arthur"
            " Edward Harrison Dylan Finley Riley Tyler Callum Liam Connor Jayden Kai Louie"
            " Reuben Toby Jude Rory Stanley Elijah Hugo Sebastian Frankie Alfie-James"
            " Tommy-Lee Zachary Caleb Albie Jenson Kian Rhys Ioan"
        ),
        ("british", "2", "younger"): listed(
            "Olivia Amelia Isla Emily Ava Poppy Ella Lily Mia Grace Evie Sophie Isabella"
            " Freya Charlotte Sienna Daisy Phoebe Ruby Chloe Millie Alice Florence Rosie"
            " Willow Evelyn Matilda Ellie Jessica Lucy Holly Scarlett Erin Megan Lola Maisie"
            " Imogen Harriet Eliza Esme Summer Lexi Gracie-Mae Ellie-Mae Lily-Rose Bethany"
            " Caitlin Seren Zoë Chloé Orla Skye Darcie-Leigh Niamh Keira"
        ),
        ("irish", "1", ""): listed(
            "Patrick Sean Michael Liam Conor Declan Eoin Brendan Kieran Seán Cormac Padraig"
            " Fergal Ciarán Dermot Donal Niall Rory Oisín Fionn Tadhg Cillian Darragh Aidan"
        ),
        ("irish", "2", ""): listed(
            "Mary Siobhan Aoife Niamh Bridget Orla Ciara Sinead Roisin Maeve Grainne Deirdre"
            " Siobhán Róisín Sinéad Áine Caoimhe Clodagh Eimear Nuala Una Saoirse Bernadette"
        ),
        ("south-asian", "1", ""): listed(
            "Mohammed Muhammad Mohammad Ali Ahmed Hassan Ibrahim Yusuf Omar Bilal Imran Usman"
            " Hamza Adil Tariq Zain Asif Kamran Rajesh Sanjay Amit Arjun Rohan Vikram Harpreet"
            " Gurpreet Jaspal Manjit Abdul Rahman Shahid Faisal Nadeem Waqas Sajid Ravi Anil"
            " Deepak Suresh Abdullah Ayaan Rayyan Aryan Krishna"
        ),
        ("south-asian", "2", ""): listed(
            "Aisha Fatima Maryam Zainab Khadija Saima Nadia Shazia Samina Farah Sana Amina"
            " Ayesha Rukhsana Nasreen Parveen Priya Anjali Sunita Kavita Meena Pooja Neha"
            " Harpreet Manpreet Simran Jasleen Rani Geeta Lakshmi Hafsa Iqra Sumayya Noor"
            " Zara Inaya Anaya Riya Shabana Yasmin Tahira Sadia"
        ),
        ("polish", "1", ""): listed(
            "Piotr Krzysztof Andrzej Tomasz Paweł Marcin Michał Jakub Łukasz Mateusz Jan"
            " Kamil Wojciech Adam Grzegorz Rafał Dawid Szymon Filip Bartosz Stanisław Kacper"
            " Antoni Zbigniew Sławomir"
        ),
        ("polish", "2", ""): listed(
            "Anna Maria Katarzyna Małgorzata Agnieszka Barbara Ewa Magdalena Monika Joanna"
            " Zofia Julia Hanna Zuzanna Aleksandra Natalia Karolina Wiktoria Beata Dorota"
            " Jadwiga Grażyna Oliwia Maja Lena Elżbieta"
        ),
        ("african", "1", ""): listed(
            "Emmanuel Samuel Daniel Kwame Kofi Chukwuemeka Oluwaseun Tunde Ibrahim Abdi"
            " Mohamed Tendai Tafadzwa Joseph Kwabena Babatunde Olumide Chidi Ifeanyi Jerome"
            " Leroy Winston Delroy Marlon Tyrone Kwesi Yohannes Tesfaye Abdirahman Musa"
        ),
        ("african", "2", ""): listed(
            "Grace Blessing Esther Abena Akosua Ngozi Chioma Folake Amina Fatuma Hodan Rutendo"
            " Chipo Precious Joy Mercy Adaeze Ifeoma Yetunde Ayodele Nomvula Thandiwe Shanice"
            " Tanisha Comfort Patience Beatrice Selam Hawa Zeinab"
        ),
        ("chinese", "1", ""): listed(
            "Wei Jun Ming Hao Chen Jian Kai Tsz-Hin Ka-Ho Wai-Man Chun Yong Jason Kevin Feng"
            " Bo Xin Lei Zhi-Wei Kwok-Wing"
        ),
        ("chinese", "2", ""): listed(
            "Mei Li Xiu Yan Jing Hui Fang Ling Na Siu-Ling Wai-Yee Ka-Yan Xin-Yi Amy Vivian"
            " Lan Qing Yue Shu-Fen Mei-Ling"
        ),
    }
)

SURNAMES: MappingProxyType[str, tuple[str, ...]] = MappingProxyType(
    {
        "british": listed(
            "Smith Jones Taylor Brown Williams Wilson Johnson Davies Robinson Wright Thompson"
            " Evans Walker White Roberts Green Hall Wood Jackson Clarke Harrison Hughes"
            " Edwards Turner Hill Moore Cooper Ward Morris King Watson Baker Harris Martin"
            " Morgan Allen Clark Scott Lee Phillips Parker Bennett Shaw Cook James Young"
            " Lewis Carter Richardson Bailey Collins Bell Cox Marshall Simpson Davis Miller"
            " Adams Ellis Foster Webb Chapman Mason Hunt Barnes Palmer Holmes Mills Lloyd"
            " Rogers Knight Butler Stevens Matthews Jenkins Fisher Barker Pearson Dixon"
            " Fletcher Howard Graham Reynolds Rhodes Barlow Ogden Ashworth Greenwood Sykes"
            " Haigh Armitage Hirst Dyson Sutcliffe Broadbent Entwistle Hardcastle Kershaw"
            " Crompton Openshaw Rigby Halsall Molyneux Fazakerley Birtwistle Ramsbottom"
            " Whitehead Lockwood Beaumont Crowther Earnshaw Schofield Clegg Butterworth"
            " Tattersall Duckworth Hargreaves Pickles Shackleton Thwaites Ackroyd Murgatroyd"
            " Campbell Stewart Murray Macdonald MacLeod McKenzie Ferguson Cameron Sinclair"
            " Griffiths Price Powell Owen Rees Llewellyn Pugh Bevan Smith-Jones Parry-Jones"
            " Taylor-Green Wright-Phillips Fox-Davies Ball Peck Nock Orme Yates Ince Ure"
            " Day May Rose Stone Field Brook Frost Swift Sharp Long Short Little Large Noble"
        )
        + listed("St_John De_Lacy Le_Fevre St._Clair"),
        "irish": (
            *listed(
                "Murphy Kelly O'Brien Ryan Byrne Walsh O'Connor O'Neill Doyle McCarthy Gallagher"
                " Doherty Kennedy Lynch Quinn O'Reilly O'Sullivan McLoughlin Fitzgerald Nolan"
                " Brennan Duffy Maguire Flynn O'Donnell O'Malley McGrath Keane D'Arcy Ó'Riordan"
                " Mac-Mahon Hennessy Costello Rafferty"
            ),
            "Ní Bhriain",
        ),
        "south-asian": (
            *listed(
                "Khan Ahmed Patel Hussain Ali Singh Begum Kaur Iqbal Mahmood Shah Akhtar Malik"
                " Mohammed Sharma Rahman Mirza Butt Chaudhry Qureshi Hussein Raza Aslam Bashir"
                " Nawaz Rashid Gill Dhillon Sandhu Mistry Desai Mehta Joshi Gupta Kumar Verma"
                " Reddy Nair Fernando Perera Miah Uddin Chowdhury Islam Sheikh Bibi Sidhu Bhatti"
                " Anwar Saeed Zaman Ul-Haq"
            ),
            "Ul Haq",
        ),
        "polish": listed(
            "Nowak Kowalski Wiśniewski Wójcik Kowalczyk Kamiński Lewandowski Zieliński"
            " Szymański Woźniak Dąbrowski Kozłowski Jankowski Mazur Kwiatkowski Krawczyk"
            " Piotrowski Grabowski Pawłowski Michalski Król Wieczorek Jabłoński Wróbel"
            " Nowicki Majewski Olszewski Stępień Malinowski Jaworski Ionescu Popescu Novák"
        ),
        "african": listed(
            "Mensah Owusu Adeyemi Okafor Boateng Asante Osei Okonkwo Adebayo Ogunleye Moyo"
            " Ncube Sibanda Dube Mutasa Abdi Hassan Mohamud Warsame Bekele Tesfaye Diallo"
            " Kamara Sesay Conteh Appiah Eze Nwosu Olawale Campbell Grant Francis Joseph"
            " Henry Bailey Gordon N'Diaye Mbeki-Nkosi"
        ),
        "chinese": listed(
            "Chen Wang Li Zhang Liu Wong Chan Lee Lam Cheung Huang Yang Wu Lin Ng Ho Leung"
            " Tang Zhao Xu Zhou Yip Au Ma"
        ),
    }
)

HERITAGE_SHARES: MappingProxyType[str, float] = MappingProxyType(
    {
        "british": 0.775,
        "irish": 0.04,
        "south-asian": 0.095,
        "polish": 0.04,
        "african": 0.035,
        "chinese": 0.015,
    }
)

# What a worker writes down instead of the registered forename.
NICKNAMES: MappingProxyType[str, str] = MappingProxyType(
    {
        "William": "Bill", "Robert": "Bob", "Richard": "Dick", "Thomas": "Tom",
        "Michael": "Mick", "James": "Jim", "John": "Jack", "Anthony": "Tony",
        "Christopher": "Chris", "Matthew": "Matt", "Daniel": "Dan", "Andrew": "Andy",
        "Stephen": "Steve", "Steven": "Steve", "Jonathan": "Jon", "Philip": "Phil",
        "Nicholas": "Nick", "Benjamin": "Ben", "Edward": "Ted", "Alexander": "Alex",
        "Timothy": "Tim", "Joshua": "Josh", "Samuel": "Sam", "Joseph": "Joe",
        "Frederick": "Fred", "Kenneth": "Ken", "Ronald": "Ron", "Donald": "Don",
        "Terence": "Terry", "Geoffrey": "Geoff", "Albert": "Bert", "Harold": "Harry",
        "Leslie": "Les", "Raymond": "Ray", "Patrick": "Paddy", "Zachary": "Zac",
        "Oliver": "Ollie", "Charlie": "Chas", "Mohammed": "Mo", "Muhammad": "Mo",
        "Margaret": "Maggie", "Patricia": "Pat", "Susan": "Sue", "Christine": "Chris",
        "Barbara": "Babs", "Elizabeth": "Liz", "Catherine": "Cathy", "Katherine": "Kate",
        "Victoria": "Vicky", "Samantha": "Sam", "Rebecca": "Becky", "Deborah": "Debbie",
        "Jennifer": "Jenny", "Amanda": "Mandy", "Nicola": "Nicky", "Michelle": "Shell",
        "Jessica": "Jess", "Charlotte": "Lottie", "Isabella": "Bella", "Amelia": "Millie",
        "Olivia": "Liv", "Matilda": "Tilly", "Kathleen": "Kath", "Dorothy": "Dot",
        "Joanne": "Jo", "Angela": "Angie", "Bethany": "Beth", "Florence": "Flo",
        "Małgorzata": "Gosia", "Katarzyna": "Kasia", "Aleksandra": "Ola", "Bridget": "Bridie",
    }
)  # fmt: skip
